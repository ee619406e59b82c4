// SPDX-License-Identifier: Apache-2.0
// Calls to other workers that there is no space for on their way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/far_workers.h"
#include "tests/unit/actor/scripted_actor.h"

namespace grove::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

class call_without_space : public scripted_world {
 protected:
  call_without_space() {
    actors->connect(far, far, 0);
    far.space[1] = 0;
  }
  ~call_without_space() override {
    far.space.clear();
    run();
    far.answer_all();
    run();
  }

  std::uint64_t send_to(std::string_view key) { return send("trial.Book", key, "Append", trial::Amount{}); }

  far_workers far{*actors};
};

TEST_F(call_without_space, waits_and_goes_first_come_first_served_when_there_is_space) {
  send_to("a");
  send_to("b");
  run();
  EXPECT_EQ(actors->unsent(), 2U);
  EXPECT_TRUE(far.keys.empty());
  far.space[1] = 1;
  send_to("c");
  EXPECT_TRUE(far.keys.empty()) << "a newcomer does not overtake, though there is space";
  run();
  EXPECT_THAT(far.keys, ElementsAre("a"));
  far.space[1] = 2;
  run();
  EXPECT_THAT(far.keys, ElementsAre("a", "b", "c"));
  EXPECT_EQ(actors->unsent(), 0U);
}

TEST_F(call_without_space, holds_up_none_to_another_worker) {
  far.place("trial.Book", "elsewhere", 2);
  send_to("a");
  send_to("elsewhere");
  EXPECT_THAT(far.keys, ElementsAre("elsewhere"));
}

TEST_F(call_without_space, is_answered_not_executed_when_its_time_is_over) {
  time_of_calls = 2s;
  const auto late = send_to("late");
  time_of_calls = 1s;
  const auto first = send_to("first");
  advance(999ms);
  EXPECT_FALSE(has_ended(first));
  advance(1ms);
  EXPECT_EQ(sink.ended[first].code, status_code::deadline_exceeded);
  EXPECT_EQ(sink.ended[first].result, outcome::not_executed);
  EXPECT_FALSE(has_ended(late));
  advance(1s);
  EXPECT_EQ(sink.ended[late].code, status_code::deadline_exceeded);
  EXPECT_EQ(recorder.deadlines_expired, 2);
  EXPECT_TRUE(far.keys.empty());
}

TEST_F(call_without_space, that_is_cancelled_lets_the_next_one_go_on) {
  const auto first = send_to("first");
  send_to("second");
  cancel(first);
  EXPECT_EQ(sink.ended[first].code, status_code::cancelled);
  EXPECT_EQ(sink.ended[first].result, outcome::not_executed);
  EXPECT_EQ(far.cancels, 0);
  far.space[1] = 1;
  run();
  EXPECT_THAT(far.keys, ElementsAre("second"));
}

TEST_F(call_without_space, is_unavailable_and_not_executed_when_its_worker_dies) {
  const auto call = send_to("a");
  run();
  far.gone.insert(1);
  run();
  EXPECT_EQ(sink.ended[call].code, status_code::unavailable);
  EXPECT_EQ(sink.ended[call].result, outcome::not_executed);
}

TEST_F(call_without_space, keeps_the_runtime_from_being_idle) {
  send_to("a");
  EXPECT_FALSE(actors->idle());
}

TEST_F(call_without_space, is_answered_at_the_end_of_the_runtime) {
  send_to("a");
  actors.reset();
  ASSERT_EQ(sink.ended.size(), 1U);
  EXPECT_EQ(sink.ended.begin()->second.code, status_code::unavailable);
  EXPECT_EQ(sink.ended.begin()->second.result, outcome::not_executed);
  actors = std::make_unique<runtime>(loop, types, store, recorder, bounds);
}

TEST_F(call_without_space, of_an_actor_waits_within_its_own_time) {
  far.place("trial.Scripted", "a", 0);
  status_code ended{};
  says.turn = [&](ScriptedActor& self) {
    try {
      (void)self.ref<trial::Ledger>("b").Append(trial::Amount{}, {.timeout = 1s});
    } catch (const status_error& e) {
      ended = e.code();
    }
  };
  const auto outer = send_run();
  run();
  EXPECT_EQ(actors->unsent(), 1U);
  advance(1s);
  EXPECT_EQ(ended, status_code::deadline_exceeded);
  EXPECT_EQ(actors->unsent(), 0U);
  EXPECT_EQ(sink.ended[outer].code, status_code::ok);
}

TEST_F(call_without_space, of_an_actor_returns_once_it_was_sent_and_answered) {
  far.place("trial.Scripted", "a", 0);
  says.turn = [](ScriptedActor& self) { (void)self.ref<trial::Ledger>("b").Append(trial::Amount{}); };
  const auto outer = send_run();
  run();
  far.space[1] = 1;
  run();
  ASSERT_THAT(far.keys, ElementsAre("b"));
  far.answer();
  run();
  EXPECT_EQ(sink.ended[outer].code, status_code::ok);
}

TEST_F(call_without_space, is_no_tell_for_nobody_waits_for_that) {
  far.place("trial.Scripted", "a", 0);
  says.turn = [](ScriptedActor& self) { self.ref<trial::Ledger>("b").tell_Append(trial::Amount{}); };
  EXPECT_EQ(call_run().code, status_code::ok);
  EXPECT_EQ(actors->unsent(), 0U);
  EXPECT_THAT(recorder.lost, ElementsAre(HasSubstr("the ring is full")));
}

}  // namespace
}  // namespace grove::test
