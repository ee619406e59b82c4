// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/unit/actor/trial_actors.h"

namespace grove::test {
namespace {

using namespace std::chrono_literals;

class call_between_actors : public world {};

TEST_F(call_between_actors, returns_the_callees_result_through_a_chain) {
  EXPECT_EQ(ask<trial::Visited>("trial.Caller", "a", "Visit", path({"b", "c", "d"})).count(), 4U);
}

TEST_F(call_between_actors, that_closes_a_cycle_fails_at_once_and_prints_the_chain) {
  const ended_call end = call("trial.Caller", "a", "Visit", path({"b", "a"}));
  EXPECT_EQ(end.code, status_code::failed_precondition);
  EXPECT_NE(end.text.find("trial.Caller/a -> trial.Caller/b -> trial.Caller/a"), std::string::npos) << end.text;
}

TEST_F(call_between_actors, that_a_streaming_turn_makes_to_its_own_actor_fails_at_once) {
  const ended_call end = call("trial.Caller", "a", "WatchVisit", path({"a"}));
  EXPECT_EQ(end.code, status_code::failed_precondition);
  EXPECT_NE(end.text.find("trial.Caller/a -> trial.Caller/a"), std::string::npos) << end.text;
}

TEST_F(call_between_actors, of_an_interleaving_method_may_close_a_cycle) {
  EXPECT_EQ(ask<trial::Visited>("trial.Caller", "a", "VisitInterleaved", path({"b", "a"})).count(), 3U);
}

TEST_F(call_between_actors, is_refused_beyond_the_nesting_limit_and_named) {
  std::vector<std::string> keys;
  for (std::uint32_t i = 0; i <= bounds.call_depth_max; ++i)
    keys.push_back("k" + std::to_string(i));
  const ended_call too_deep = call("trial.Caller", "start", "Visit", path(keys));
  EXPECT_EQ(too_deep.code, status_code::failed_precondition);
  EXPECT_NE(too_deep.text.find("limits.call-depth-max"), std::string::npos) << too_deep.text;
  keys.pop_back();
  EXPECT_EQ(ask<trial::Visited>("trial.Caller", "start", "Visit", path(keys)).count(), bounds.call_depth_max + 1);
}

TEST_F(call_between_actors, keeps_earlier_tells_to_the_same_actor_in_front_of_it) {
  const auto entries = ask<trial::Amounts>("trial.Caller", "a", "TellCallTell", trial::Nothing{});
  ASSERT_EQ(entries.amounts_size(), 3);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(entries.amounts(i), i + 1);
}

TEST_F(call_between_actors, inherits_what_is_left_of_the_callers_time) {
  const auto busy = send("trial.Caller", "busy", "SlowVisit", path({}));
  run();
  const auto outer = send("trial.Caller", "a", "Visit", path({"busy"}));
  run();
  EXPECT_FALSE(has_ended(outer));
  advance(30s);
  EXPECT_EQ(sink.ended[outer].code, status_code::deadline_exceeded);
  advance(30s);
  EXPECT_TRUE(has_ended(busy));
  EXPECT_EQ(actors->turns_running(), 0U);
}

TEST_F(call_between_actors, has_the_default_deadline_when_its_caller_has_more_time) {
  bounds.call_deadline = 1s;
  send("trial.Caller", "busy", "SlowVisit", path({}));
  run();
  const auto outer = send("trial.Caller", "a", "Visit", path({"busy"}));
  run();
  advance(999ms);
  EXPECT_FALSE(has_ended(outer));
  advance(1ms);
  EXPECT_EQ(sink.ended[outer].code, status_code::deadline_exceeded);
  advance(1min);
}

TEST_F(call_between_actors, is_given_up_with_the_call_that_waits_for_it) {
  send("trial.Caller", "busy", "SlowVisit", path({}));
  run();
  const auto outer = send("trial.Caller", "a", "Visit", path({"busy"}));
  run();
  cancel(outer);
  run();
  EXPECT_EQ(sink.ended[outer].code, status_code::cancelled);
  EXPECT_EQ(actors->messages().in_use(), 1U) << "the inner call has left the mailbox, only the slow one is there";
}

}  // namespace
}  // namespace grove::test
