// SPDX-License-Identifier: Apache-2.0
// What the runtime does while an actor's on_activate, on_passivate and on_stream_closed wait, and when they throw.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/actor/scripted_actor.h"
#include "worker/tasks/event.h"

namespace grove::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class passivation : public scripted_world {};

TEST_F(passivation, that_waits_is_not_begun_again) {
  int begun = 0;
  says.passivate = [&begun] {
    ++begun;
    sleep_for(10s);
  };
  call_run();
  idle_for(30);
  idle_for(5);
  EXPECT_EQ(begun, 1);
  EXPECT_EQ(actors->active_actors(), 1U);
  advance(10s);
  EXPECT_EQ(begun, 1);
  EXPECT_EQ(actors->active_actors(), 0U);
}

TEST_F(passivation, does_not_begin_while_the_actor_is_activated) {
  int passivated = 0;
  says.activate = [](ScriptedActor&) { sleep_for(10s); };
  says.passivate = [&passivated] { ++passivated; };
  const auto first = send_run();
  run();
  idle_for(31);
  EXPECT_EQ(passivated, 0);
  advance(10s);
  EXPECT_TRUE(has_ended(first));
}

TEST_F(passivation, lets_a_message_that_comes_while_it_waits_run_after_it) {
  says.passivate = [] { sleep_for(10s); };
  call_run();
  idle_for(30);
  const auto late = send_run();
  run();
  idle_for(5);
  EXPECT_FALSE(has_ended(late));
  advance(10s);
  EXPECT_EQ(sink.ended[late].code, status_code::ok);
  idle_for(30);
  advance(10s);
  EXPECT_EQ(actors->active_actors(), 0U) << "it is passivated another time";
}

TEST_F(passivation, that_ends_before_the_runtime_has_looked_at_a_call_that_was_cancelled_leaves_nothing_dangling) {
  event may_end{loop};
  says.passivate = [&may_end] { may_end.wait(); };
  call_run();
  idle_for(30);
  const auto given_up = send_run();
  cancel(given_up);
  may_end.set();
  run();
  EXPECT_EQ(sink.ended[given_up].code, status_code::cancelled);
  idle_for(31);
  EXPECT_EQ(actors->active_actors(), 0U);
}

TEST_F(passivation, that_throws_no_std_exception_is_reported_and_completed) {
  says.passivate = [] { throw 42; };
  says.turn = [](ScriptedActor& self) { self.state().set_balance(1); };
  call_run();
  idle_for(30);
  EXPECT_THAT(reports, ElementsAre("on_passivate of trial.Scripted/a: no std::exception"));
  EXPECT_EQ(actors->active_actors(), 0U);
  EXPECT_EQ(store.size(), 1U) << "its state is saved all the same";
  EXPECT_EQ(call_run().code, status_code::ok);
}

TEST_F(passivation, that_throws_after_a_wait_lets_the_messages_run_that_came_meanwhile) {
  says.passivate = [] {
    sleep_for(1s);
    throw 42;
  };
  call_run();
  idle_for(30);
  const auto late = send_run();
  advance(1s);
  EXPECT_EQ(sink.ended[late].code, status_code::ok);
}

TEST_F(scripted_world, keeps_nothing_of_the_state_that_a_failed_activation_has_changed) {
  says.activate = [](ScriptedActor& self) {
    self.state().set_balance(self.state().balance() + 1);
    throw std::runtime_error{"no life"};
  };
  EXPECT_EQ(call_run().code, status_code::internal);
  says = {};
  std::int64_t balance = -1;
  says.turn = [&balance](ScriptedActor& self) { balance = self.state().balance(); };
  call_run();
  EXPECT_EQ(balance, 0);
}

TEST_F(scripted_world, lets_a_turn_that_interleaves_begin_when_the_activation_that_it_came_in_has_ended) {
  says.activate = [](ScriptedActor&) { sleep_for(1s); };
  says.turn = [](ScriptedActor&) { sleep_for(10s); };
  const auto first = send_run();
  run();
  const auto interleaved = send("trial.Scripted", "a", "RunInterleaved", trial::Nothing{});
  run();
  EXPECT_FALSE(has_ended(interleaved));
  advance(1s);
  EXPECT_TRUE(has_ended(interleaved));
  EXPECT_FALSE(has_ended(first));
  advance(10s);
}

TEST_F(scripted_world, takes_nothing_from_the_destructors_of_actors_when_it_ends_and_says_so) {
  says.destroy = [](ScriptedActor& self) { self.ref<trial::Scripted>("another").tell_Run({}); };
  call_run();
  actors = nullptr;
  EXPECT_THAT(recorder.lost, ElementsAre("trial.Scripted/another Run: UNAVAILABLE: the worker stops"));
  says = {};
  actors = std::make_unique<runtime>(loop, types, store, recorder, bounds);
}

/// A store that takes nothing while it is full.
class full_store final : public state_store {
 public:
  [[nodiscard]] bool load(std::string_view, std::string_view, std::string&) override { return false; }
  [[nodiscard]] ticket append(const state_change&) override { return 0; }
  void passivated(const state_change&) override {
    if (full) throw std::runtime_error{"the disk is full"};
  }
  [[nodiscard]] ticket durable() const noexcept override { return 0; }
  void set_listener(store_listener*) noexcept override {}
  bool full = true;
};

class passivation_into_a_full_store : public scripted_world {
 protected:
  passivation_into_a_full_store() { actors = std::make_unique<runtime>(loop, types, disk, recorder, bounds); }
  ~passivation_into_a_full_store() override {
    actors = std::make_unique<runtime>(loop, types, store, recorder, bounds);  // One without this store.
  }
  full_store disk;
};

TEST_F(passivation_into_a_full_store, is_reported_loses_nothing_and_is_tried_again_after_another_idle_time) {
  std::int64_t balance = 0;
  says.turn = [&balance](ScriptedActor& self) {
    balance = self.state().balance() + 1;
    self.state().set_balance(balance);
  };
  call_run();
  idle_for(59);
  EXPECT_THAT(reports, ElementsAre("saving the state of trial.Scripted/a: the disk is full"));
  call_run();
  EXPECT_EQ(balance, 2);
  disk.full = false;
  idle_for(30);
  EXPECT_EQ(actors->active_actors(), 0U);
}

class construction : public scripted_world {
 protected:
  /// The next objects cannot be made.
  void fail_from_now_on() {
    says.construct = [] { throw std::runtime_error{"no memory for it"}; };
  }
  void expect_failed(const ended_call& end) {
    EXPECT_EQ(end.code, status_code::internal);
    EXPECT_EQ(end.result, outcome::not_executed);
    EXPECT_THAT(end.text, HasSubstr("no memory for it"));
  }
  void expect_recovery() {
    says = {};
    EXPECT_EQ(call_run().code, status_code::ok);
    idle_for(30);
    EXPECT_EQ(actors->active_actors(), 0U);
  }
};

TEST_F(construction, that_fails_fails_the_call_as_not_executed) {
  fail_from_now_on();
  expect_failed(call_run());
  expect_failed(call_run());
  expect_recovery();
}

TEST_F(construction, that_throws_no_std_exception_fails_the_call_as_not_executed) {
  says.construct = [] { throw 42; };
  const ended_call end = call_run();
  EXPECT_EQ(end.code, status_code::internal);
  EXPECT_EQ(end.result, outcome::not_executed);
  EXPECT_THAT(reports, IsEmpty()) << "the caller knows";
  expect_recovery();
}

TEST_F(construction, that_fails_after_a_failed_activation_fails_the_next_call) {
  says.activate = [this](ScriptedActor&) {
    fail_from_now_on();
    throw std::runtime_error{"no life"};
  };
  EXPECT_THAT(call_run().text, HasSubstr("no life"));
  expect_failed(call_run());
  expect_recovery();
}

TEST_F(construction, that_fails_after_passivation_fails_the_call_that_came_meanwhile) {
  says.passivate = [] { sleep_for(1s); };
  call_run();
  idle_for(30);
  const auto late = send_run();
  run();
  fail_from_now_on();
  advance(1s);
  ASSERT_TRUE(has_ended(late));
  expect_failed(sink.ended[late]);
  expect_recovery();
}

TEST_F(construction, that_fails_leaves_an_actor_that_ends_like_others) {
  fail_from_now_on();
  call_run();
  idle_for(30);
  EXPECT_EQ(actors->active_actors(), 0U);
}

class closed_stream : public scripted_world {
 protected:
  /// An actor with a stream, which has been closed from the other side.
  void watch_and_cancel() {
    const auto watch = send("trial.Scripted", "a", "Watch", trial::Nothing{});
    run();
    cancel(watch);
    run();
  }
};

TEST_F(closed_stream, whose_hook_throws_no_std_exception_is_reported_and_the_actor_lives) {
  says.stream_closed = [] { throw 42; };
  watch_and_cancel();
  EXPECT_THAT(reports, ElementsAre("on_stream_closed of trial.Scripted/a: no std::exception"));
  EXPECT_EQ(call_run().code, status_code::ok);
}

TEST_F(closed_stream, whose_hook_waits_keeps_turns_and_the_actors_end_waiting) {
  bool running = false;
  bool overlapped = false;
  says.stream_closed = [&running] {
    running = true;
    sleep_for(10s);
    running = false;
  };
  says.passivate = [&] { overlapped |= running; };
  says.turn = [&](ScriptedActor&) { overlapped |= running; };
  watch_and_cancel();
  ASSERT_TRUE(running);
  EXPECT_FALSE(actors->idle());
  const auto behind = send_run();
  run();
  EXPECT_FALSE(has_ended(behind));
  cancel(behind);
  idle_for(31);
  const auto after = send_run();
  advance(10s);
  EXPECT_TRUE(has_ended(after));
  EXPECT_FALSE(overlapped);
  EXPECT_TRUE(actors->idle());
}

TEST_F(closed_stream, whose_hook_waits_lets_turns_run_that_interleave) {
  says.stream_closed = [] { sleep_for(10s); };
  const auto watch = send("trial.Scripted", "a", "Watch", trial::Nothing{});
  run();
  // Both are there when the hook begins.
  const auto interleaved = send("trial.Scripted", "a", "RunInterleaved", trial::Nothing{});
  cancel(watch);
  run();
  EXPECT_TRUE(has_ended(interleaved));
  advance(10s);
}

TEST_F(closed_stream, that_closes_while_the_hook_waits_is_told_of_after_it) {
  int told = 0;
  says.stream_closed = [&told] {
    ++told;
    sleep_for(10s);
  };
  const auto first = send("trial.Scripted", "a", "Watch", trial::Nothing{});
  const auto second = send("trial.Scripted", "a", "Watch", trial::Nothing{});
  run();
  cancel(first);
  run();
  cancel(second);
  run();
  EXPECT_EQ(told, 1);
  advance(10s);
  EXPECT_EQ(told, 2);
  advance(10s);
}

}  // namespace
}  // namespace grove::test
