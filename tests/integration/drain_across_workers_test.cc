// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdint>
#include <set>
#include <string>

#include "grove/v1/builtin.pb.h"
#include "tests/support/requests.h"
#include "tests/support/server_process.h"
#include "tests/support/wire_client.h"

namespace grove::test {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

/// A call to a Counter of worker 1, and behind it in the same read of worker 0 a turn that holds that worker: the call is
/// written and cannot be published before the turn has ended.
std::string call_that_is_held(const v1::Welcome& welcome, bool one_way) {
  v1::EchoSpinRequest spin;
  spin.set_microseconds(1'000'000);
  v1::Envelope add =
      request_envelope(1, "grove.Counter", keys_of(welcome, "grove.Counter", 1, 1).front(), "Add", std::string{});
  add.mutable_request()->set_one_way(one_way);
  return frame_of(add) + frame_of(request_envelope(2, "grove.Echo", keys_of(welcome, "grove.Echo", 0, 1).front(),
                                                   "Spin", spin.SerializeAsString()));
}

class drain_across_workers : public testing::TestWithParam<bool> {};

TEST_P(drain_across_workers, finishes_a_call_that_is_on_its_way_to_a_worker_with_nothing_to_do) {
  server_process server{{.workers = 2}};
  wire_client client{server.address()};
  client.send_bytes(call_that_is_held(client.greet(0), GetParam()));
  server.process().wait_for_line("grove.Echo/");
  server.process().signal(SIGTERM);
  std::set<std::uint64_t> answered;
  while (answered.size() < 2) {
    const v1::Envelope frame = client.next();
    if (!frame.has_response()) continue;
    EXPECT_EQ(frame.response().code(), 0U) << frame.response().message();
    answered.insert(frame.response().id());
  }
  EXPECT_EQ(server.process().wait().exit.code, 0);
}

INSTANTIATE_TEST_SUITE_P(calls_and_one_way_requests, drain_across_workers, testing::Bool());

TEST(drain_of_a_worker, says_what_is_given_up_when_its_time_is_over) {
  server_process server{{.workers = 2, .more = {"--drain-timeout", "5s"}}};
  wire_client client{server.address()};
  v1::Envelope tell = sleep_request(1, keys_of(client.greet(0), "grove.Echo", 0, 1).front(), 60'000);
  tell.mutable_request()->set_one_way(true);
  client.send(tell);
  ASSERT_EQ(client.next().response().code(), 0U);
  const finished_process end = server.stop();
  EXPECT_EQ(end.exit.code, 0);
  EXPECT_THAT(end.err, HasSubstr("1 message given up, among them 0 calls of clients"));
  EXPECT_THAT(end.err, ContainsRegex("worker 1: (drained|nothing of its own was left) after"))
      << "it waited for the other one, and had nothing itself; who of them is over first is chance";
  EXPECT_THAT(end.err, HasSubstr("the drain was cut: 1 worker not done, 1 message known to be given up"));
}

TEST(drain_of_a_worker, finishes_the_tells_that_it_took_before_it_says_that_it_is_done) {
  constexpr std::uint64_t tells = 100;
  server_process server{{.workers = 1}};
  wire_client client{server.address()};
  client.greet();
  std::string frames;
  for (std::uint64_t id = 1; id <= tells; ++id) {
    v1::Envelope tell = sleep_request(id, "x", 200);
    tell.mutable_request()->set_one_way(true);
    frames += frame_of(tell);
  }
  client.send_bytes(frames);
  for (std::uint64_t id = 1; id <= tells; ++id)
    ASSERT_EQ(client.next().response().code(), 0U);
  const finished_process end = server.stop();
  EXPECT_THAT(end.err, HasSubstr("worker 0: drained after"));
  EXPECT_THAT(end.err, Not(HasSubstr("given up")));
}

}  // namespace
}  // namespace grove::test
