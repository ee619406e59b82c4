// SPDX-License-Identifier: Apache-2.0
// The admin pages of a real server, over real sockets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <vector>

#include "tests/unit/server/started_server.h"

namespace grove::server {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(admin_process, serves_liveness_readiness_and_metrics) {
  started_server server;
  server.wait_for("ready: ");
  EXPECT_THAT(server.get("/livez"), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(server.get("/readyz"), HasSubstr("ready: 2 of 2 workers up"));
  const std::string metrics = server.get("/metrics");
  EXPECT_THAT(metrics, HasSubstr("grove_worker_up{worker=\"0\"} 1\n"));
  EXPECT_THAT(metrics, HasSubstr("grove_worker_up{worker=\"1\"} 1\n"));
  EXPECT_THAT(metrics, HasSubstr("grove_turns_total{worker=\"1\"}"));
}

TEST(admin_process, is_not_ready_while_it_drains_but_lives) {
  started_server server{{{"GROVE_TEST_WORKER_0", "stubborn"}}};
  server.wait_for("ready: ");
  server.signal(SIGTERM);
  server.wait_for("SIGTERM: draining");
  EXPECT_THAT(server.get("/readyz"), StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(server.get("/readyz"), HasSubstr("not ready: draining"));
  EXPECT_THAT(server.get("/livez"), StartsWith("HTTP/1.1 200 "));
}

TEST(admin_process, answers_bad_requests_in_words) {
  started_server server;
  server.wait_for("ready: ");
  EXPECT_THAT(server.get("/"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(server.admin("garbage\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(server.admin("POST /livez HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"), StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(server.admin(std::string(64 * 1024, 'x')), StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(server.get("/livez"), StartsWith("HTTP/1.1 200 "));
}

TEST(admin_process, more_connections_than_it_takes_wait_their_turn) {
  started_server server;
  server.wait_for("ready: ");
  std::vector<unique_fd> idle;
  for (int i = 0; i < 80; ++i)
    idle.push_back(connect_to(server.admin_port()));
  idle.clear();
  EXPECT_THAT(server.get("/livez"), StartsWith("HTTP/1.1 200 "));
}

TEST(admin_process, can_be_turned_off) {
  started_server server{{}, {"--admin=off"}};
  EXPECT_THAT(server.wait_for("ready: "), HasSubstr("(admin off)"));
}

}  // namespace
}  // namespace grove::server
