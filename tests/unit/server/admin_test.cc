// SPDX-License-Identifier: Apache-2.0
#include "server/admin.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <string>
#include <vector>

#include "server/listeners.h"

namespace grove::server {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

/// An admin server whose loop the test turns itself, and clients that do not block.
struct admin_test : testing::Test {
  unique_fd connect() const {
    unique_fd client{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(address.port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(client.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
    return client;
  }

  /// What the server sends until it closes its side.
  std::string answer_to(const unique_fd& client, std::string_view request) {
    EXPECT_EQ(::send(client.get(), request.data(), request.size(), MSG_NOSIGNAL), static_cast<ssize_t>(request.size()));
    std::string answer;
    const auto deadline = time_after(std::chrono::steady_clock::now(), 60s);
    while (std::chrono::steady_clock::now() < deadline) {
      io.run_one_for(1ms);
      char chunk[4096];
      const ssize_t size = ::recv(client.get(), chunk, sizeof chunk, MSG_DONTWAIT);
      if (size == 0) return answer;
      if (size > 0) answer.append(chunk, static_cast<std::size_t>(size));
      if (size < 0 && errno != EAGAIN) return "reset";
    }
    return "no answer";
  }

  /// Longer than a request of these tests is on its way on a busy machine.
  static constexpr auto request_within = 2500ms;

  listener socket = listen_on({"127.0.0.1", 0}, "--admin");
  host_port address = socket.address;
  asio::io_context io;
  admin_server admin{io, std::move(socket.fd),
                     admin_pages{[] {
                                   return readiness{true, "all well"};
                                 },
                                 [] { return std::string{"metrics\n"}; }},
                     std::make_shared<spdlog::logger>("silent"), request_within};
};

TEST_F(admin_test, answers_and_closes) {
  const unique_fd client = connect();
  EXPECT_THAT(answer_to(client, "GET /readyz HTTP/1.1\r\n\r\n"), HasSubstr("ready: all well"));
}

TEST_F(admin_test, a_request_that_does_not_come_in_time_is_told_so) {
  const unique_fd client = connect();
  const std::string answer = answer_to(client, "GET /livez HTTP/1.1\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 408 "));
  EXPECT_THAT(answer, HasSubstr("within 2500ms"));
}

TEST_F(admin_test, a_client_that_never_closes_does_not_stay) {
  std::vector<unique_fd> idle;
  for (std::size_t i = 0; i < admin_server::connections_max; ++i)
    idle.push_back(connect());
  const unique_fd client = connect();
  // It waits in the accept queue until the idle ones are thrown out.
  EXPECT_THAT(answer_to(client, "GET /livez HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(admin_test, a_client_that_goes_away_does_no_harm) {
  for (int i = 0; i < 10; ++i)
    (void)connect();
  EXPECT_THAT(answer_to(connect(), "HEAD /metrics HTTP/1.1\r\n\r\n"), HasSubstr("Content-Length: 8"));
}

}  // namespace
}  // namespace grove::server
