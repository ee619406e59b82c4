// SPDX-License-Identifier: Apache-2.0
#include "server/admin_http.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace grove::server {
namespace {

using testing::HasSubstr;

http_request parsed(std::string_view bytes) {
  auto result = parse_request(bytes);
  if (!std::holds_alternative<http_request>(result)) {
    ADD_FAILURE() << bytes;
    return {};
  }
  return std::get<http_request>(result);
}

int refused(std::string_view bytes) {
  const auto result = parse_request(bytes);
  const auto* response = std::get_if<http_response>(&result);
  return response == nullptr ? 0 : response->status;
}

admin_pages pages(bool ready) {
  return {[ready] { return readiness{ready, "1 of 2 workers up"}; }, [] { return std::string{"grove_ready 1\n"}; }};
}

TEST(admin_http, reads_a_request) {
  const http_request request = parsed("GET /readyz?verbose=1 HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n");
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.path, "/readyz");
  EXPECT_EQ(parsed("HEAD / HTTP/1.0\r\n\r\n").method, "HEAD");
}

TEST(admin_http, waits_for_the_whole_head) {
  const std::string whole = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_TRUE(std::holds_alternative<http_incomplete>(parse_request(whole.substr(0, size)))) << size;
  }
}

TEST(admin_http, refuses_what_is_no_request) {
  for (const auto* wrong :
       {"hello\r\n", "\r\n\r\n", "get /livez HTTP/1.1\r\n\r\n", "GET /livez\r\n\r\n", "GET livez HTTP/1.1\r\n\r\n",
        "GET /a b HTTP/1.1\r\n\r\n", "GET /livez FTP/1.1\r\n\r\n", "GET /livez HTTP/1.1\r\nno colon\r\n\r\n",
        "GET /livez HTTP/1.1\r\nBad name: x\r\n\r\n", "GET /livez HTTP/1.1\r\n: x\r\n\r\n"}) {
    EXPECT_EQ(refused(wrong), 400) << wrong;
  }
  EXPECT_EQ(refused("GET /livez HTTP/2.0\r\n\r\n"), 505);
}

TEST(admin_http, a_request_may_have_8_kib_and_no_more) {
  const std::string front = "GET /livez HTTP/1.1\r\nX: ";
  const std::string fits = front + std::string(admin_request_bytes_max - front.size() - 1, 'x') + "\r\n\r\n";
  EXPECT_EQ(parsed(fits).path, "/livez");
  EXPECT_EQ(refused(front + std::string(admin_request_bytes_max - front.size(), 'x') + "\r\n\r\n"), 431);
  EXPECT_EQ(refused(std::string(admin_request_bytes_max, 'x')), 431);
}

TEST(admin_http, readiness_is_200_or_503_with_the_reason) {
  EXPECT_EQ(answer({"GET", "/readyz"}, pages(true)).status, 200);
  const http_response down = answer({"GET", "/readyz"}, pages(false));
  EXPECT_EQ(down.status, 503);
  EXPECT_THAT(down.body, HasSubstr("1 of 2 workers up"));
}

TEST(admin_http, liveness_does_not_depend_on_the_workers) {
  EXPECT_EQ(answer({"GET", "/livez"}, pages(false)).status, 200);
}

TEST(admin_http, metrics_have_prometheus_type) {
  const http_response response = answer({"GET", "/metrics"}, pages(true));
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.type, HasSubstr("text/plain; version=0.0.4"));
  EXPECT_EQ(response.body, "grove_ready 1\n");
}

TEST(admin_http, other_pages_and_methods_are_refused) {
  EXPECT_EQ(answer({"GET", "/"}, pages(true)).status, 404);
  EXPECT_EQ(answer({"POST", "/livez"}, pages(true)).status, 405);
  EXPECT_THAT(render(answer({"POST", "/livez"}, pages(true)), false), HasSubstr("\r\nAllow: GET, HEAD\r\n"));
}

TEST(admin_http, an_answer_has_its_length_and_closes_the_connection) {
  const std::string text = render({200, "ok\n"}, false);
  EXPECT_TRUE(text.starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(text, HasSubstr("\r\nContent-Length: 3\r\n"));
  EXPECT_THAT(text, HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_TRUE(text.ends_with("\r\n\r\nok\n"));
  const std::string head = render({200, "ok\n"}, true);
  EXPECT_THAT(head, HasSubstr("\r\nContent-Length: 3\r\n"));
  EXPECT_TRUE(head.ends_with("\r\n\r\n"));
}

}  // namespace
}  // namespace grove::server
