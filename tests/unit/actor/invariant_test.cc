// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <functional>

#include "base/check.h"
#include "tests/support/delayed_store.h"
#include "tests/unit/actor/trial_actors.h"

namespace grove::test {
namespace {

using namespace std::chrono_literals;

class runtime_invariants : public world {
 protected:
  /// An actor with a turn that waits, and a call behind it.
  void block() {
    send("trial.Account", "a", "SlowDeposit", amount(100));
    run();
    behind = send("trial.Account", "a", "Deposit", amount(1));
    run();
  }
  void release() { advance(100ms); }

  std::uint64_t behind = 0;
};

TEST_F(runtime_invariants, hold_under_a_mixed_load) {
  for (int round = 0; round < 4; ++round) {
    for (const char* key : {"a", "b", "c", "d"}) {
      send("trial.Account", key, "SlowDeposit", amount(10 + round));
      send("trial.Account", key, "Deposit", amount(1));
      send("trial.Account", key, "DepositAndFail", amount(1));
      send_one_way("trial.Account", key, "Deposit", amount(1));
      send("trial.Account", key, "Watch", trial::Nothing{});
      send("trial.Caller", key, "Visit", path({"x", "y"}));
      send("trial.Caller", key, "SlowVisit", path({key, "z"}));
      cancel(send("trial.Account", key, "Deposit", amount(1)));
    }
    time_of_calls = 15ms;
    send("trial.Caller", "never", "Visit", path({"stillborn"}));
    run();
    advance(5ms);
    actors->sweep_idle();
    advance(20ms);
    time_of_calls = 30s;
  }
  for (const char* key : {"a", "b", "c", "d"})
    send("trial.Account", key, "StopWatches", trial::Nothing{});
  advance(2min);
  for (int second = 0; second < 3600; ++second)
    actors->sweep_idle();
  run();
  EXPECT_EQ(actors->turns_running(), 0U);
}

TEST_F(runtime_invariants, notice_a_message_that_is_not_where_it_says) {
  block();
  message& waits = *calls.at(behind);
  waits.state = message_state::running;
  EXPECT_DEATH(actors->check_invariants(), "a message is in another state than where it is found says");
  waits.state = message_state::queued;
  actors->check_invariants();
  release();
}

TEST_F(runtime_invariants, notice_a_mailbox_that_has_more_bytes_than_were_counted) {
  block();
  message& waits = *calls.at(behind);
  ++waits.metadata_size;
  EXPECT_DEATH(actors->check_invariants(), "the messages of a mailbox have other sizes than was counted");
  --waits.metadata_size;
  release();
}

TEST_F(runtime_invariants, notice_an_actor_that_nothing_will_look_at) {
  block();
  actor_cell& cell = *calls.at(behind)->target;
  turn* const waits = cell.exclusive;
  cell.exclusive = nullptr;
  EXPECT_DEATH(actors->check_invariants(), "the exclusive turn of an actor is none of its turns");
  cell.exclusive = waits;
  ++cell.turns_running;
  EXPECT_DEATH(actors->check_invariants(), "an actor has another number of turns than was counted");
  --cell.turns_running;
  cell.ready = true;
  EXPECT_DEATH(actors->check_invariants(), "an actor is ready and not in the queue");
  cell.ready = false;
  cell.life = actor_cell::phase::fresh;
  EXPECT_DEATH(actors->check_invariants(), "an actor that was not activated has an object");
  cell.life = actor_cell::phase::active;
  release();
}

TEST_F(runtime_invariants, notice_a_call_whose_time_nobody_minds) {
  block();
  message& waits = *calls.at(behind);
  const steady_time deadline = waits.deadline;
  waits.deadline = time_after(time.now(), 1ms);
  EXPECT_DEATH(actors->check_invariants(), "calls wait behind a turn, and nobody minds their time");
  waits.deadline = deadline;
  release();
}

TEST_F(runtime_invariants, a_call_is_answered_once) {
  block();
  EXPECT_DEATH(
      {
        calls.at(behind)->state = message_state::answered;
        release();
      },
      "check failed");
  release();
}

}  // namespace
}  // namespace grove::test
