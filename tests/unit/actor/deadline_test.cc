// SPDX-License-Identifier: Apache-2.0
// A turn's deadline bounds its waits, beside the timeouts of its handler, and is gone with it.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <utility>

#include "tests/unit/actor/scripted_actor.h"
#include "worker/hub/callback_timer.h"
#include "worker/tasks/event.h"
#include "worker/tasks/timeout.h"

namespace grove::test {
namespace {

using namespace std::chrono_literals;

class deadline_of_a_turn : public scripted_world {
 protected:
  std::uint64_t send_run_within(std::chrono::milliseconds time_left) {
    const auto number = send_run();
    calls.at(number)->deadline = time_after(time.now(), time_left);
    return number;
  }
  /// How a turn ends that waits for `wait` and has `left`; one of the two is a second.
  ended_call turn_of(std::chrono::seconds wait, std::chrono::seconds left) {
    says.turn = [wait](ScriptedActor&) { sleep_for(wait); };
    const auto number = send_run_within(left);
    run();
    advance(1s);
    EXPECT_TRUE(has_ended(number));
    return sink.ended[number];
  }
  /// How a turn ends that the same runner runs next and that waits for five seconds.
  ended_call next_turn() {
    says.turn = [](ScriptedActor&) { sleep_for(5s); };
    const auto number = send_run();
    run();
    advance(5s);
    EXPECT_TRUE(has_ended(number));
    return sink.ended[number];
  }
};

TEST_F(deadline_of_a_turn, that_ended_it_does_not_touch_the_next_turn) {
  EXPECT_EQ(turn_of(2s, 1s).code, status_code::deadline_exceeded);
  EXPECT_EQ(next_turn().code, status_code::ok);
}

TEST_F(deadline_of_a_turn, that_ended_it_counts_apart_from_one_that_was_over_before) {
  (void)turn_of(2s, 1s);
  EXPECT_EQ(recorder.turns_expired, 1);
  EXPECT_EQ(recorder.deadlines_expired, 0);
  const auto late = send_run_within(-1s);
  run();
  EXPECT_EQ(sink.ended[late].code, status_code::deadline_exceeded);
  EXPECT_EQ(recorder.turns_expired, 1);
  EXPECT_EQ(recorder.deadlines_expired, 1);
}

TEST_F(deadline_of_a_turn, that_has_not_come_does_not_touch_the_next_turn) {
  EXPECT_EQ(turn_of(1s, 2s).code, status_code::ok);
  EXPECT_EQ(next_turn().code, status_code::ok);
}

TEST_F(deadline_of_a_turn, that_comes_with_what_it_waits_for_is_lost_with_the_turn) {
  event happened{loop};
  callback_timer happens{[&happened] { happened.set(); }};
  happens.arm_after(loop, 1s);
  says.turn = [&happened](ScriptedActor&) { happened.wait(); };
  const auto in_time = send_run_within(1s);
  run();
  advance(1s);
  EXPECT_EQ(sink.ended[in_time].code, status_code::ok);
  EXPECT_EQ(next_turn().code, status_code::ok);
}

TEST_F(deadline_of_a_turn, ends_a_wait_that_a_longer_timeout_of_the_handler_bounds_and_not_what_a_shorter_one_does) {
  bool gave_up = false;
  says.turn = [&](ScriptedActor&) {
    gave_up = !with_timeout(1s, [] { sleep_for(1min); });
    const timeout longer{1min};
    sleep_for(1min);
  };
  const auto late = send_run_within(3s);
  run();
  advance(1s);
  EXPECT_TRUE(gave_up);
  EXPECT_FALSE(has_ended(late));
  advance(2s);
  EXPECT_EQ(sink.ended[late].code, status_code::deadline_exceeded);
  EXPECT_EQ(next_turn().code, status_code::ok);
}

/// Calls `by` when it is destroyed.
class cleaned_up {
 public:
  explicit cleaned_up(std::function<void()> by) : by_{std::move(by)} {}
  cleaned_up(const cleaned_up&) = delete;
  cleaned_up& operator=(const cleaned_up&) = delete;
  ~cleaned_up() { by_(); }

 private:
  std::function<void()> by_;
};

TEST_F(deadline_of_a_turn, leaves_a_destructor_alone_that_waits_while_it_unwinds_and_so_does_a_cancellation) {
  bool whole = false;
  says.turn = [&](ScriptedActor&) {
    const cleaned_up local{[&] {
      sleep_for(2s);
      whole = true;
    }};
    sleep_for(1min);
  };
  const auto late = send_run_within(1s);
  run();
  advance(1s);
  cancel(late);
  advance(1s);
  EXPECT_FALSE(has_ended(late));
  advance(1s);
  EXPECT_TRUE(whole);
  EXPECT_EQ(sink.ended[late].code, status_code::deadline_exceeded);
  EXPECT_EQ(next_turn().code, status_code::ok) << "the cancellation is gone with the turn";
}

#ifndef __clang__
TEST_F(deadline_of_a_turn, leaves_a_destructor_alone_that_waits_at_the_end_of_its_scope) {
  bool whole = false;
  says.turn = [&](ScriptedActor&) {
    const cleaned_up local{[&] {
      sleep_for(3s);
      whole = true;
    }};
  };
  const auto late = send_run_within(1s);
  run();
  advance(1s);
  cancel(late);
  advance(2s);
  EXPECT_TRUE(whole);
  EXPECT_EQ(sink.ended[late].code, status_code::ok) << "nothing of the handler is left to wait";
  EXPECT_EQ(next_turn().code, status_code::ok);
}
#endif

TEST_F(deadline_of_a_turn, is_not_that_of_a_call_in_a_destructor_while_it_unwinds) {
  int asked = 0;
  says.turn = [&](ScriptedActor& self) {
    if (self.key() == "asked") {
      ++asked;
      sleep_for(1s);
      return;
    }
    const cleaned_up local{[&] { (void)self.ref<trial::Scripted>("asked").Run({}); }};
    sleep_for(1min);
  };
  const auto late = send_run_within(1s);
  run();
  advance(1s);
  EXPECT_EQ(asked, 1);
  advance(1s);
  EXPECT_EQ(sink.ended[late].code, status_code::deadline_exceeded);
}

TEST_F(deadline_of_a_turn, does_not_cut_what_is_cleaned_up_when_the_worker_stops) {
  bool whole = false;
  says.turn = [&](ScriptedActor&) {
    const cleaned_up local{[&] {
      yield();
      yield();
      whole = true;
    }};
    sleep_for(1min);
  };
  const auto cut = send_run();
  run();
  actors.reset();
  actors = std::make_unique<runtime>(loop, types, store, recorder, bounds);
  EXPECT_TRUE(whole);
  EXPECT_EQ(sink.ended[cut].code, status_code::unavailable);
}

TEST_F(deadline_of_a_turn, ends_a_call_that_waits_while_its_actor_is_made_for_one_that_interleaves) {
  says.construct = [] { sleep_for(50ms); };
  const auto first = send("trial.Scripted", "a", "RunInterleaved", trial::Nothing{});
  const auto late = send_run_within(10ms);
  run();
  advance(10ms);
  ASSERT_TRUE(has_ended(late)) << "it is not answered before the actor is there";
  EXPECT_EQ(sink.ended[late].code, status_code::deadline_exceeded);
  EXPECT_EQ(sink.ended[late].result, outcome::not_executed);
  EXPECT_FALSE(has_ended(first));
  advance(40ms);
  EXPECT_TRUE(has_ended(first));
}

}  // namespace
}  // namespace grove::test
