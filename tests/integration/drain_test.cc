// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/clock.h"
#include "grove/v1/builtin.pb.h"
#include "tests/support/kept_port.h"
#include "tests/support/requests.h"
#include "tests/support/server_process.h"
#include "tests/support/wire_client.h"

namespace grove::test {
namespace {

using testing::HasSubstr;

/// Less than the time that a drain may take: a server that waits for its calls does not end within it.
constexpr std::chrono::seconds within_drain{20};

TEST(drain, finishes_what_was_begun_and_refuses_what_is_new) {
  server_process server{{.workers = 1}};
  wire_client client{server.address()};
  client.greet();
  // Longer than everything up to the late request takes on a busy machine, and well within the drain's time.
  client.send(sleep_request(1, "x", 5'000));
  // The answer to this ping comes after the request before it was taken.
  v1::Envelope ping;
  ping.mutable_ping()->set_nonce(1);
  client.send(ping);
  ASSERT_TRUE(client.next().has_pong());
  server.process().signal(SIGTERM);
  ASSERT_TRUE(client.next().has_drain());
  client.send(sleep_request(2, "x", 1));
  const v1::Response refused = client.next().response();
  EXPECT_EQ(refused.id(), 2U);
  EXPECT_EQ(refused.code(), 14U);
  EXPECT_EQ(refused.outcome(), v1::OUTCOME_NOT_EXECUTED);
  const v1::Response finished = client.next().response();
  EXPECT_EQ(finished.id(), 1U);
  EXPECT_EQ(finished.code(), 0U);
  EXPECT_EQ(server.process().wait().exit.code, 0);
}

TEST(drain, refuses_new_connections_at_once_instead_of_leaving_them_without_a_welcome) {
  const kept_port port;
  server_process server{{.workers = 2, .listen = port.address()}};
  wire_client client{server.address()};
  // An actor of the greeted worker, so that the answer to the ping comes after the request was taken; and a sleep that is
  // longer than everything up to its answer takes on a busy machine.
  const v1::Welcome welcome = client.greet();
  client.send(sleep_request(1, keys_of(welcome, "grove.Echo", welcome.worker(), 1).front(), 5'000));
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
  EXPECT_EQ(server.process().wait(within_drain).exit.code, 0);
}

TEST(drain, ends_after_its_time_even_when_calls_go_on) {
  server_process server{{.workers = 1, .more = {"--drain-timeout", "300ms"}}};
  wire_client client{server.address()};
  client.greet();
  client.send(sleep_request(1, "x", 60'000));
  v1::Envelope ping;
  ping.mutable_ping()->set_nonce(1);
  client.send(ping);
  ASSERT_TRUE(client.next().has_pong());
  const finished_process end = server.stop();
  EXPECT_EQ(end.exit.code, 0) << end.err;
}

TEST(drain, runs_the_tells_that_were_accepted) {
  constexpr std::uint64_t tells = 1000;
  constexpr std::uint64_t actors = 10;
  server_process server{{.workers = 2}};
  // A call of the other worker keeps the server up until the end of the test.
  wire_client other{server.address()};
  other.send(sleep_request(1, keys_of(other.greet(1), "grove.Echo", 1, 1).front(), 60'000));
  v1::Envelope ping;
  ping.mutable_ping()->set_nonce(1);
  other.send(ping);
  ASSERT_TRUE(other.receive()->has_pong());
  wire_client client{server.address()};
  const std::vector<std::string> keys = keys_of(client.greet(0), "grove.Echo", 0, actors);
  v1::EchoSpinRequest spin;
  spin.set_microseconds(2'000);
  std::string frames;
  for (std::uint64_t id = 1; id <= tells; ++id) {
    v1::Envelope tell = request_envelope(id, "grove.Echo", keys[id % actors], "Spin", spin.SerializeAsString());
    tell.mutable_request()->set_one_way(true);
    frames += frame_of(tell);
  }
  client.send_bytes(frames);
  for (std::uint64_t id = 1; id <= tells; ++id)
    ASSERT_EQ(client.receive()->response().code(), 0U);
  server.process().signal(SIGTERM);
  const auto give_up = time_after(std::chrono::steady_clock::now(), within_drain);
  std::string metrics;
  do {
    metrics = http_get(server.admin(), "/metrics");
  } while (metrics.find("grove_turns_total{worker=\"0\"} 1000\n") == std::string::npos &&
           std::chrono::steady_clock::now() < give_up);
  EXPECT_THAT(metrics, HasSubstr("grove_turns_total{worker=\"0\"} 1000\n"));
  server.process().signal(SIGINT);
  EXPECT_EQ(server.process().wait().exit.code, 0);
}

TEST(drain, is_not_waited_for_when_interrupted) {
  server_process server{{.workers = 1}};
  wire_client client{server.address()};
  client.greet();
  client.send(sleep_request(1, "x", 60'000));
  server.process().signal(SIGINT);
  EXPECT_EQ(server.process().wait(within_drain).exit.signal, 0);
}

}  // namespace
}  // namespace grove::test
