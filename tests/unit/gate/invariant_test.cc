// SPDX-License-Identifier: Apache-2.0
#include <chrono>

#include "tests/unit/gate/gate_fixture.h"
#include "worker/gate/call_table.h"

namespace grove::test {
namespace {

using namespace std::chrono_literals;

using gate_invariants = gate_test;

TEST_F(gate_invariants, hold_under_a_mixed_load) {
  const auto fast = greeted();
  const auto slow = greeted();
  const auto gone = greeted();
  const auto silent = connect();
  for (std::uint64_t id = 1; id <= 50; ++id) {
    slow->send(sleep_of(id, 10ms));
    gone->send(sleep_of(id, 10ms));
    fast->send(echo_of(id, 10 * id));
    run();
  }
  gone->hang_up();
  slow->end_input();
  run();
  advance(20ms);
  EXPECT_EQ(fast->receive().size(), 50U);
  EXPECT_EQ(slow->receive().size(), 51U) << "with the Ping that asks whether it is there";
  advance(bounds.first_frame_within);
  advance(5s);
  EXPECT_EQ(front->connections(), 1U);
}

TEST_F(gate_invariants, notice_calls_that_were_counted_and_are_nowhere) {
  const auto client = greeted();
  check_invariants();
  EXPECT_DEATH(
      {
        front->calls().began();
        check_invariants();
      },
      "the calls of all connections are not as many as were counted");
}

TEST_F(gate_invariants, notice_a_metric_that_says_something_else) {
  const auto client = greeted();
  EXPECT_DEATH(
      {
        metrics[metric::connections].set(7);
        check_invariants();
      },
      "the metric of connections says another number");
}

TEST_F(gate_invariants, a_call_begins_in_one_table) {
  call_count count;
  call_table first{count, 1};
  call_table second{count, 2};
  const message_ptr call = actors->messages().make("key", "");
  first.begin(*call, 1, sink);
  EXPECT_DEATH(second.begin(*call, 1, sink), "a call begins in a table and has an origin already");
  first.end(*call);
}

}  // namespace
}  // namespace grove::test
