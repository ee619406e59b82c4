// SPDX-License-Identifier: Apache-2.0
// Who sees and who may change the state of an actor, and when.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "tests/unit/actor/scripted_actor.h"
#include "worker/tasks/event.h"

namespace grove::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

class state_of_an_actor : public scripted_world {
 protected:
  /// What a turn finds now.
  std::int64_t balance() {
    std::int64_t found = -1;
    says.turn = [&found](ScriptedActor& self) { found = std::as_const(self).state().balance(); };
    EXPECT_EQ(call_run().code, status_code::ok);
    return found;
  }
  void read() {
    send("trial.Scripted", "a", "RunInterleaved", trial::Nothing{});
    run();
  }
};

TEST_F(state_of_an_actor, is_what_it_was_before_the_turn_for_a_reader_that_overlaps) {
  event may_end{loop};
  std::vector<std::int64_t> seen;
  says.turn = [&](ScriptedActor& self) {
    self.state().set_balance(5);
    may_end.wait();
    EXPECT_EQ(std::as_const(self).state().balance(), 5) << "the turn itself sees what it has changed";
  };
  says.interleaved = [&seen](const ScriptedActor& self) { seen.push_back(self.state().balance()); };
  const auto changing = send_run();
  run();
  read();
  may_end.set();
  run();
  EXPECT_TRUE(has_ended(changing));
  read();
  EXPECT_THAT(seen, ElementsAre(0, 5));
}

TEST_F(state_of_an_actor, follows_the_turns_in_a_reference_that_a_reader_keeps_over_a_wait) {
  event may_go_on{loop};
  std::vector<std::int64_t> seen;
  says.interleaved = [&](const ScriptedActor& self) {
    const trial::AccountState& state = self.state();
    seen.push_back(state.balance());
    may_go_on.wait();
    seen.push_back(state.balance());
  };
  says.turn = [](ScriptedActor& self) { self.state().set_balance(5); };
  read();
  call_run();
  may_go_on.set();
  run();
  EXPECT_THAT(seen, ElementsAre(0, 5));
}

TEST_F(state_of_an_actor, keeps_nothing_of_a_turn_that_fails_while_readers_overlap) {
  event may_end{loop};
  std::vector<std::int64_t> seen;
  says.turn = [&](ScriptedActor& self) {
    self.state().set_balance(5);
    may_end.wait();
    throw std::runtime_error{"no"};
  };
  says.interleaved = [&seen](const ScriptedActor& self) { seen.push_back(self.state().balance()); };
  send_run();
  run();
  read();
  may_end.set();
  run();
  read();
  EXPECT_THAT(seen, ElementsAre(0, 0));
}

TEST_F(state_of_an_actor, stands_as_a_failed_turn_has_left_it_that_had_asked_for_no_undo) {
  says.turn = [](ScriptedActor& self) {
    self.state_without_undo().set_balance(5);
    throw std::runtime_error{"no"};
  };
  EXPECT_EQ(call_run().code, status_code::internal);
  EXPECT_EQ(balance(), 5);
}

TEST_F(state_of_an_actor, is_changed_in_one_of_the_two_ways_by_a_turn) {
  says.turn = [](ScriptedActor& self) {
    self.state().set_balance(1);
    self.state_without_undo().set_balance(2);
  };
  EXPECT_EQ(call_run().code, status_code::failed_precondition);
  says.turn = [](ScriptedActor& self) {
    self.state_without_undo().set_balance(1);
    self.state().set_balance(2);
  };
  EXPECT_EQ(call_run().code, status_code::failed_precondition);
}

TEST_F(state_of_an_actor, cannot_be_changed_outside_of_its_turns) {
  ScriptedActor* actor = nullptr;
  event may_end{loop};
  says.turn = [&](ScriptedActor& self) {
    actor = &self;
    may_end.wait();
  };
  send_run();
  run();
  // A turn of it is under way, but this is not in it.
  try {
    actor->state().set_balance(1);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const failed_precondition& error) {
    EXPECT_THAT(error.what(), HasSubstr("trial.Scripted/a is changed outside of its turn"));
  }
  may_end.set();
  run();
  EXPECT_THROW(actor->state_without_undo().set_balance(1), failed_precondition);
}

TEST_F(state_of_an_actor, keeps_what_on_activate_changed_when_the_first_turn_fails) {
  says.activate = [](ScriptedActor& self) { self.state().set_balance(5); };
  says.turn = [](ScriptedActor& self) {
    self.state().set_balance(6);
    throw std::runtime_error{"no"};
  };
  call_run();
  EXPECT_EQ(balance(), 5);
}

TEST_F(state_of_an_actor, keeps_nothing_of_a_hook_that_fails) {
  ScriptedActor* actor = nullptr;
  says.stream_closed = [&actor] {
    actor->state().set_balance(5);
    throw std::runtime_error{"no"};
  };
  says.turn = [&actor](ScriptedActor& self) { actor = &self; };
  call_run();
  const auto watch = send("trial.Scripted", "a", "Watch", trial::Nothing{});
  run();
  cancel(watch);
  run();
  EXPECT_EQ(reports.size(), 1U);
  EXPECT_EQ(balance(), 0);
}

}  // namespace
}  // namespace grove::test
