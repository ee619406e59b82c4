// SPDX-License-Identifier: Apache-2.0
// Calls to actors that have nothing to do, which run in place of their callers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/actor/scripted_actor.h"
#include "worker/tasks/event.h"
#include "worker/tasks/task.h"

namespace grove::test {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;

class call_in_place : public scripted_world {
 protected:
  void note(const ScriptedActor& self, std::string_view what) { seen.push_back(std::string{self.key()}.append(what)); }
  static void call(const ScriptedActor& self, const std::string& key) { (void)self.ref<trial::Scripted>(key).Run({}); }
  std::uint64_t send_run_to(std::string_view key) { return send("trial.Scripted", key, "Run", trial::Nothing{}); }

  std::vector<std::string> seen;
};

TEST_F(call_in_place, runs_before_what_else_is_ready) {
  says.turn = [this](ScriptedActor& self) {
    note(self, "");
    if (self.key() != "caller") return;
    call(self, "callee");
    note(self, " again");
  };
  send_run_to("caller");
  send_run_to("other");
  run();
  EXPECT_THAT(seen, ElementsAre("caller", "callee", "caller again", "other"));
}

TEST_F(call_in_place, lets_others_run_while_the_callee_waits) {
  event may_go_on{loop};
  says.turn = [&](ScriptedActor& self) {
    note(self, "");
    if (self.key() == "caller") call(self, "callee");
    if (self.key() == "callee") may_go_on.wait();
    note(self, " done");
  };
  const auto calling = send_run_to("caller");
  send_run_to("other");
  run();
  EXPECT_THAT(seen, ElementsAre("caller", "callee", "other", "other done"));
  may_go_on.set();
  run();
  EXPECT_TRUE(has_ended(calling));
  EXPECT_THAT(seen, Contains("caller done"));
}

TEST_F(call_in_place, nests_and_each_caller_goes_on_when_the_innermost_waits) {
  event may_go_on{loop};
  says.turn = [&](ScriptedActor& self) {
    if (self.key() == "a") call(self, "b");
    if (self.key() == "b") call(self, "c");
    if (self.key() == "c") may_go_on.wait();
    note(self, "");
  };
  const auto calling = send_run_to("a");
  run();
  EXPECT_EQ(actors->turns_running(), 3U);
  may_go_on.set();
  run();
  EXPECT_THAT(seen, ElementsAre("c", "b", "a"));
  EXPECT_EQ(sink.ended[calling].code, status_code::ok);
}

TEST_F(call_in_place, is_cancelled_with_its_caller_while_it_waits) {
  says.turn = [this](ScriptedActor& self) {
    if (self.key() == "caller") return call(self, "callee");
    try {
      sleep_for(1min);
    } catch (const turn_cancelled&) {
      note(self, " cancelled");
      throw;
    }
  };
  const auto calling = send_run_to("caller");
  run();
  cancel(calling);
  run();
  EXPECT_EQ(sink.ended[calling].code, status_code::cancelled);
  EXPECT_THAT(seen, ElementsAre("callee cancelled"));
  EXPECT_TRUE(actors->idle());
}

TEST_F(call_in_place, ends_at_the_callers_deadline_while_it_waits) {
  says.turn = [](ScriptedActor& self) {
    if (self.key() == "caller") return call(self, "callee");
    sleep_for(1min);
  };
  const auto calling = send_run_to("caller");
  run();
  advance(31s);
  EXPECT_EQ(sink.ended[calling].code, status_code::deadline_exceeded);
  EXPECT_TRUE(actors->idle());
}

TEST_F(call_in_place, fails_with_what_the_callee_throws) {
  says.turn = [this](ScriptedActor& self) {
    if (self.key() == "callee") throw out_of_range{"too far"};
    try {
      call(self, "callee");
    } catch (const status_error& error) {
      note(self, std::string{" heard: "}.append(error.what()));
    }
  };
  send_run_to("caller");
  run();
  EXPECT_THAT(seen, ElementsAre("caller heard: too far"));
}

TEST_F(call_in_place, lets_go_of_its_caller_when_the_callees_fiber_is_ended) {
  says.turn = [](ScriptedActor& self) {
    if (self.key() == "caller") return call(self, "callee");
    throw greenlet_exit{};
  };
  const auto calling = send_run_to("caller");
  run();
  EXPECT_EQ(sink.ended[calling].code, status_code::unavailable);
}

TEST_F(call_in_place, keeps_neither_other_actors_nor_the_loop_waiting_for_ever) {
  bool other_ran = false;
  bool timer_ran = false;
  callback_timer timer{[&timer_ran] { timer_ran = true; }};
  says.turn = [&](ScriptedActor& self) {
    if (self.key() == "other") other_ran = true;
    if (self.key() != "caller") return;
    for (int made = 0; !(other_ran && timer_ran) && made < 100'000; ++made)
      call(self, "callee");
    EXPECT_TRUE(other_ran && timer_ran);
  };
  send_run_to("caller");
  send_run_to("other");
  timer.arm(loop, time.now());
  run();
  EXPECT_TRUE(timer_ran);
}

TEST_F(call_in_place, of_an_actor_to_one_that_is_told_something_first_keeps_the_order) {
  says.turn = [this](ScriptedActor& self) {
    note(self, "");
    if (self.key() != "caller") return;
    self.ref<trial::Scripted>("callee").tell_Run({});
    call(self, "callee");
    note(self, " again");
  };
  send_run_to("caller");
  run();
  EXPECT_THAT(seen, ElementsAre("caller", "callee", "callee", "caller again"));
}

TEST_F(call_in_place, of_a_task_that_shares_its_stack_gets_its_answer) {
  std::int64_t balance = 0;
  const auto task = spawn_on(
      loop,
      [this, &balance] {
        balance = trial::Account::Ref{*actors, "a"}.Deposit(amount(5)).balance();
      },
      std::nullopt, stack_class::sliced);
  run();
  EXPECT_TRUE(task->successful());
  EXPECT_EQ(balance, 5);
}

TEST_F(call_in_place, leaves_the_request_that_is_not_moved_as_it_is) {
  trial::Path request = path({"a key that is long enough not to fit into a small string"});
  const trial::Path before = request;
  const trial::Caller::Ref caller{*actors, "a"};
  const auto task = spawn([&] {
    (void)caller.Visit(request);
    EXPECT_EQ(request.SerializeAsString(), before.SerializeAsString());
    (void)caller.Visit(std::move(request));
  });
  run();
  EXPECT_TRUE(task->successful());
}

}  // namespace
}  // namespace grove::test
