// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <stdexcept>
#include <string>

#include "tests/support/requests.h"
#include "tests/support/server_process.h"
#include "tests/support/wire_client.h"

namespace grove::test {
namespace {

using testing::HasSubstr;

TEST(drain, finishes_what_was_begun_and_refuses_what_is_new) {
  server_process server{{.workers = 1}};
  wire_client client{server.address()};
  client.greet();
  client.send(sleep_request(1, "x", 500));
  // The answer to this ping comes after the request before it was taken.
  v1::Envelope ping;
  ping.mutable_ping()->set_nonce(1);
  client.send(ping);
  ASSERT_TRUE(client.receive()->has_pong());
  server.process().signal(SIGTERM);
  ASSERT_TRUE(client.receive()->has_drain());
  client.send(sleep_request(2, "x", 1));
  const v1::Response refused = client.receive()->response();
  EXPECT_EQ(refused.id(), 2U);
  EXPECT_EQ(refused.code(), 14U);
  EXPECT_EQ(refused.outcome(), v1::OUTCOME_NOT_EXECUTED);
  const v1::Response finished = client.receive()->response();
  EXPECT_EQ(finished.id(), 1U);
  EXPECT_EQ(finished.code(), 0U);
  EXPECT_EQ(server.process().wait().exit.code, 0);
}

TEST(drain, refuses_new_connections_at_once_instead_of_leaving_them_without_a_welcome) {
  server_process server{{.workers = 2}};
  wire_client client{server.address()};
  client.greet();
  client.send(sleep_request(1, "x", 500));
  v1::Envelope ping;
  ping.mutable_ping()->set_nonce(1);
  client.send(ping);
  ASSERT_TRUE(client.receive()->has_pong());
  server.process().signal(SIGTERM);
  ASSERT_TRUE(client.receive()->has_drain());
  EXPECT_THROW(wire_client{server.address()}, std::runtime_error);
  const v1::Response finished = client.receive()->response();
  EXPECT_EQ(finished.code(), 0U) << "what was begun is finished all the same";
  EXPECT_EQ(server.process().wait().exit.code, 0);
}

TEST(drain, ends_streams_at_once_because_they_never_end_by_themselves) {
  server_process server{{.workers = 2}};
  for (std::uint32_t worker = 0; worker < 2; ++worker) {
    wire_client client{server.address()};
    client.greet(worker);
    v1::Envelope request;
    request.mutable_request()->set_id(7);
    request.mutable_request()->set_type("grove.Topic");
    request.mutable_request()->set_key("news");
    request.mutable_request()->set_method("Subscribe");
    client.send(request);
    // The publication's answer, over the same connection and to the same actor, proves that the subscription is there.
    EXPECT_EQ(client.call("grove.Topic", "news", "Publish", "").code(), 0U);
    if (worker == 0) continue;
    server.process().signal(SIGTERM);
    for (;;) {
      const auto frame = client.receive();
      ASSERT_TRUE(frame.has_value());
      if (!frame->has_response()) continue;
      EXPECT_EQ(frame->response().id(), 7U);
      EXPECT_EQ(frame->response().code(), 14U);
      break;
    }
  }
  EXPECT_EQ(server.process().wait(std::chrono::seconds{10}).exit.code, 0);
}

TEST(drain, ends_after_its_time_even_when_calls_go_on) {
  server_process server{{.workers = 1, .more = {"--drain-timeout", "300ms"}}};
  wire_client client{server.address()};
  client.greet();
  client.send(sleep_request(1, "x", 60'000));
  v1::Envelope ping;
  ping.mutable_ping()->set_nonce(1);
  client.send(ping);
  ASSERT_TRUE(client.receive()->has_pong());
  const finished_process end = server.stop();
  EXPECT_EQ(end.exit.code, 0) << end.err;
}

TEST(drain, is_not_waited_for_when_interrupted) {
  server_process server{{.workers = 1}};
  wire_client client{server.address()};
  client.greet();
  client.send(sleep_request(1, "x", 60'000));
  server.process().signal(SIGINT);
  EXPECT_EQ(server.process().wait(std::chrono::seconds{10}).exit.signal, 0);
}

}  // namespace
}  // namespace grove::test
