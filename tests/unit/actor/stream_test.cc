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

TEST_F(stream_of_an_actor, that_is_cancelled_ends_the_turn_that_opened_it_at_its_next_wait) {
  const auto watch = send("trial.Account", "a", "WatchSlowly", amount(100));
  run();
  cancel(watch);
  EXPECT_EQ(sink.ended[watch].code, status_code::cancelled);
  EXPECT_EQ(sink.ended[watch].result, outcome::unknown);
  run();
  EXPECT_EQ(actors->turns_running(), 0U);
  EXPECT_EQ(ask<trial::Balance>("trial.Account", "a", "Get", trial::Nothing{}).balance(), 0);
}

TEST_F(stream_of_an_actor, that_is_closed_while_a_turn_waits_tells_the_actor_after_it) {
  const auto watch = send("trial.Account", "a", "Watch", trial::Nothing{});
  const auto other = send("trial.Account", "a", "WatchSlowly", amount(100));
  run();
  cancel(watch);
  advance(100ms);
  EXPECT_FALSE(has_ended(other)) << sink.ended[other].text;
  EXPECT_EQ(balances(other), (std::vector<std::int64_t>{100}));
  cancel(other);
  run();
}

TEST_F(stream_of_an_actor, ends_with_the_time_of_its_call_and_tells_the_actor) {
  const auto watch = send("trial.Account", "a", "Watch", trial::Nothing{});
  calls.at(watch)->deadline = time_after(time.now(), 1min);
  run();
  advance(59s);
  EXPECT_FALSE(has_ended(watch));
  advance(1s);
  ASSERT_TRUE(has_ended(watch));
  EXPECT_EQ(sink.ended[watch].code, status_code::deadline_exceeded);
  EXPECT_EQ(sink.ended[watch].result, outcome::executed) << "its handler has ended";
  EXPECT_TRUE(actors->idle());
}

TEST_F(stream_of_an_actor, without_a_time_lasts) {
  const auto watch = send("trial.Account", "a", "Watch", trial::Nothing{});
  calls.at(watch)->deadline = steady_time::max();
  run();
  advance(24h);
  EXPECT_FALSE(has_ended(watch));
  cancel(watch);
  run();
}

TEST_F(stream_of_an_actor, whose_time_is_over_while_it_is_opened_is_undone) {
  const auto watch = send("trial.Account", "a", "WatchSlowly", amount(40'000));
  run();
  advance(31s);
  EXPECT_EQ(sink.ended[watch].code, status_code::deadline_exceeded);
  EXPECT_EQ(sink.ended[watch].result, outcome::unknown);
  EXPECT_EQ(ask<trial::Balance>("trial.Account", "a", "Get", trial::Nothing{}).balance(), 0);
}

template <class Ref>
concept reference_that_watches = requires(const Ref& account) {
  account.Watch(trial::Nothing{});
};
static_assert(!reference_that_watches<trial::Account::Ref>);

TEST_F(stream_of_an_actor, cannot_be_asked_for_by_an_actor) {
  const actor_reference account{*actors, trial::Account::actor_type_id, trial::Account::actor_type, "a"};
  const method_key watch{4, hash_of_name("Watch"), "Watch"};
  EXPECT_THROW((void)account.call<trial::Balance>(watch, trial::Nothing{}, {}), unimplemented);
  EXPECT_THROW(account.tell(watch, trial::Nothing{}), unimplemented);
}

TEST_F(stream_of_an_actor, of_a_slow_reader_is_ended_and_not_kept_for_ever) {
  const auto watch = send("trial.Account", "a", "Watch", trial::Nothing{});
  run();
  sink.backlog = bounds.output_buffer_bytes_max + 1;
  call("trial.Account", "a", "Deposit", amount(1));
  EXPECT_EQ(sink.ended[watch].code, status_code::resource_exhausted);
  EXPECT_NE(sink.ended[watch].text.find("limits.output-buffer-bytes-max"), std::string::npos);
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
