// SPDX-License-Identifier: Apache-2.0
// What the runtime does while an actor's on_activate, on_passivate and on_stream_closed wait, and when they throw.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/actor/scripted_actor.h"
#include "worker/hub/event.h"

namespace grove::test {
namespace {

using namespace std::chrono_literals;

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
  says.activate = [] { sleep_for(10s); };
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

}  // namespace
}  // namespace grove::test
