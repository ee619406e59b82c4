// SPDX-License-Identifier: Apache-2.0

// Mistakes of an author fail the turn that makes them, by name, and nothing else.

#include <gmock/gmock.h>

#include <memory>
#include <optional>

#include "tests/unit/actor/scripted_actor.h"
#include "worker/hub/waiter.h"
#include "worker/tasks/task.h"
#include "worker/tasks/timeout.h"

namespace grove::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class mistake : public scripted_world {
 protected:
  void expect_that_turns_go_on() {
    says.turn = [](ScriptedActor&) { sleep_for(5s); };
    const auto number = send_run();
    run();
    EXPECT_FALSE(has_ended(number));
    advance(5s);
    EXPECT_EQ(sink.ended[number].code, status_code::ok) << sink.ended[number].text;
  }

  std::unique_ptr<timeout> kept;
};

TEST_F(mistake, of_keeping_a_time_out_fails_the_turn_and_ends_the_time_out) {
  says.turn = [this](ScriptedActor& self) {
    self.state().set_note("changed");
    kept = std::make_unique<timeout>(1s);
  };
  const ended_call end = call_run();
  EXPECT_EQ(end.code, status_code::failed_precondition);
  EXPECT_EQ(end.result, outcome::executed);
  EXPECT_THAT(end.text, HasSubstr("a time-out that the turn has made is kept beyond its end"));
  expect_that_turns_go_on();
  kept->restart(1s);
  expect_that_turns_go_on();
  kept.reset();
  expect_that_turns_go_on();
}

TEST_F(mistake, of_keeping_a_time_out_in_a_turn_that_throws_leaves_the_next_turn_alone) {
  says.turn = [this](ScriptedActor&) {
    kept = std::make_unique<timeout>(1s);
    throw aborted{"it has an error of its own"};
  };
  EXPECT_EQ(call_run().code, status_code::aborted);
  expect_that_turns_go_on();
}

TEST_F(mistake, of_keeping_a_time_out_in_a_hook_is_reported) {
  says.passivate = [this] { kept = std::make_unique<timeout>(1s); };
  says.turn = [](ScriptedActor&) {};
  EXPECT_EQ(call_run().code, status_code::ok);
  idle_for(31);
  ASSERT_EQ(reports.size(), 1U);
  EXPECT_THAT(reports.front(), HasSubstr("a time-out that the turn has made is kept beyond its end"));
  expect_that_turns_go_on();
}

TEST_F(mistake, of_a_waiter_on_a_sliced_stack_fails_its_task) {
  says.turn = [](ScriptedActor&) {
    auto task = spawn_on(
        hub::current(),
        [] {
          waiter here{hub::current()};
          here.wait();
        },
        std::nullopt, stack_class::sliced);
    task->get();
  };
  const ended_call end = call_run();
  EXPECT_EQ(end.code, status_code::internal);
  EXPECT_THAT(end.text, HasSubstr("a waiter on a sliced stack"));
}

}  // namespace
}  // namespace grove::test
