// SPDX-License-Identifier: Apache-2.0
// What the recorder is told to be running, at every moment at which a worker might die.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/actor/scripted_actor.h"
#include "worker/tasks/event.h"

namespace grove::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

/// Knows what runs: "key Method", or "nothing".
class current_recorder final : public null_flight_recorder {
 public:
  void turn_begins(const actor_cell& cell, const message& call) override {
    running = std::string{cell.key()} + " " + cell.type().methods()[call.method].name;
  }
  void nothing_runs() override { running = "nothing"; }

  std::string running = "nothing";
};

class flight_record_of_a_worker : public scripted_world {
 protected:
  flight_record_of_a_worker() { actors = std::make_unique<runtime>(loop, types, store, watching, bounds); }

  void note() { seen.push_back(watching.running); }
  std::uint64_t send_to(std::string_view key, std::string_view method) {
    return send("trial.Scripted", key, method, trial::Nothing{});
  }

  current_recorder watching;
  std::vector<std::string> seen;
};

TEST_F(flight_record_of_a_worker, says_that_nothing_runs_when_no_turn_does) {
  says.turn = [this](ScriptedActor&) { note(); };
  call_run();
  EXPECT_THAT(seen, ElementsAre("a Run"));
  EXPECT_EQ(watching.running, "nothing");
}

TEST_F(flight_record_of_a_worker, names_a_turn_again_that_goes_on_after_it_has_waited) {
  event may_go_on{loop};
  says.turn = [&](ScriptedActor&) {
    may_go_on.wait();
    note();
    sleep_for(1s);
    note();
    yield();
    note();
  };
  send_to("a", "Run");
  run();
  EXPECT_EQ(watching.running, "nothing") << "it waits";
  says.turn = {};
  send_to("b", "Run");
  run();
  may_go_on.set();
  run();
  EXPECT_EQ(watching.running, "nothing") << "it waits";
  advance(1s);
  EXPECT_THAT(seen, ElementsAre("a Run", "a Run", "a Run"));
  EXPECT_EQ(watching.running, "nothing");
}

TEST_F(flight_record_of_a_worker, names_each_of_several_turns_that_go_on_together) {
  event may_go_on{loop};
  says.interleaved = [&](const ScriptedActor&) {
    may_go_on.wait();
    note();
    yield();
    note();
  };
  says.turn = says.interleaved;
  send_to("a", "Run");
  send_to("b", "RunInterleaved");
  run();
  may_go_on.set();
  run();
  EXPECT_THAT(seen, ElementsAre("a Run", "b RunInterleaved", "a Run", "b RunInterleaved"));
}

TEST_F(flight_record_of_a_worker, names_a_turn_again_whose_wait_was_interrupted) {
  says.turn = [this](ScriptedActor&) {
    try {
      sleep_for(1min);
    } catch (...) {
      note();
      throw;
    }
  };
  const auto given_up = send_to("a", "Run");
  run();
  cancel(given_up);
  run();
  EXPECT_THAT(seen, ElementsAre("a Run"));
  EXPECT_EQ(watching.running, "nothing");
}

TEST_F(flight_record_of_a_worker, says_that_nothing_runs_when_the_turns_are_done_that_came_after_a_wait) {
  int begun = 0;
  says.turn = [&begun](ScriptedActor&) {
    if (++begun == 1) sleep_for(1s);
  };
  send_to("a", "Run");
  run();
  const auto behind = send_to("a", "RunInterleaved");
  const auto after = send_to("a", "Run");
  advance(1s);
  EXPECT_TRUE(has_ended(behind) && has_ended(after));
  EXPECT_EQ(watching.running, "nothing");
}

TEST_F(flight_record_of_a_worker, blames_no_turn_for_what_a_hook_does) {
  says.passivate = [this] { note(); };
  says.stream_closed = [this] { note(); };
  const auto watch = send_to("a", "Watch");
  run();
  send_to("b", "Run");
  cancel(watch);
  run();
  for (int second = 0; second < 30; ++second)
    actors->sweep_idle();
  send_to("c", "Run");
  run();
  EXPECT_THAT(seen, ElementsAre("nothing", "nothing", "nothing"));
}

}  // namespace
}  // namespace grove::test
