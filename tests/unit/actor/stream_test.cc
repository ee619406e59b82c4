// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/unit/actor/trial_actors.h"

namespace grove::test {
namespace {

using namespace std::chrono_literals;

class stream_of_an_actor : public world {
 protected:
  std::vector<std::int64_t> balances(std::uint64_t number) {
    std::vector<std::int64_t> seen;
    for (const std::string& item : sink.items[number]) {
      trial::Balance balance;
      EXPECT_TRUE(balance.ParseFromString(item));
      seen.push_back(balance.balance());
    }
    return seen;
  }
};

TEST_F(stream_of_an_actor, carries_what_later_turns_write) {
  const auto watch = send("trial.Account", "a", "Watch", trial::Nothing{});
  run();
  call("trial.Account", "a", "Deposit", amount(5));
  call("trial.Account", "a", "Deposit", amount(6));
  EXPECT_EQ(balances(watch), (std::vector<std::int64_t>{0, 5, 11}));
  EXPECT_FALSE(has_ended(watch));
  cancel(watch);
  run();
}

TEST_F(stream_of_an_actor, gets_nothing_from_a_turn_that_throws) {
  const auto watch = send("trial.Account", "a", "Watch", trial::Nothing{});
  run();
  call("trial.Account", "a", "DepositAndFail", amount(5));
  EXPECT_EQ(balances(watch), (std::vector<std::int64_t>{0}));
  cancel(watch);
  run();
}

TEST_F(stream_of_an_actor, ends_with_the_status_that_the_actor_gives) {
  const auto watch = send("trial.Account", "a", "Watch", trial::Nothing{});
  run();
  call("trial.Account", "a", "StopWatches", trial::Nothing{});
  EXPECT_EQ(sink.ended[watch].code, status_code::aborted);
}

TEST_F(stream_of_an_actor, that_is_cancelled_tells_the_actor) {
  const auto watch = send("trial.Account", "a", "Watch", trial::Nothing{});
  run();
  cancel(watch);
  run();
  EXPECT_EQ(sink.ended[watch].code, status_code::cancelled);
  call("trial.Account", "a", "Deposit", amount(1));
  EXPECT_EQ(balances(watch).size(), 1U);
}

TEST_F(stream_of_an_actor, of_a_slow_reader_is_ended_and_not_kept_for_ever) {
  const auto watch = send("trial.Account", "a", "Watch", trial::Nothing{});
  run();
  sink.backlog = bounds.output_buffer_bytes_max + 1;
  call("trial.Account", "a", "Deposit", amount(1));
  EXPECT_EQ(sink.ended[watch].code, status_code::resource_exhausted);
  EXPECT_NE(sink.ended[watch].text.find("output_buffer_bytes"), std::string::npos);
}

TEST_F(stream_of_an_actor, keeps_its_actor_from_being_passivated) {
  const auto watch = send("trial.Account", "a", "Watch", trial::Nothing{});
  run();
  for (int second = 0; second < 100; ++second)
    actors->sweep_idle();
  run();
  EXPECT_EQ(actors->active_actors(), 1U);
  cancel(watch);
  run();
  for (int second = 0; second < 100; ++second)
    actors->sweep_idle();
  run();
  EXPECT_EQ(actors->active_actors(), 0U);
}

}  // namespace
}  // namespace grove::test
