// SPDX-License-Identifier: Apache-2.0
#include "server/restart_policy.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace grove::server {
namespace {

using namespace std::chrono_literals;
using milliseconds = std::chrono::milliseconds;

/// One death of a slot's process, and what has to follow from it.
struct death {
  enum class of : std::uint8_t {
    start,    ///< Before it was ready.
    idle,     ///< Ready, and in no turn.
    turn,     ///< In one that never ended a worker before.
    poison,   ///< In a turn of one actor and method.
    poison2,  ///< In another.
  };
  of what;
  milliseconds after_last;  ///< Since the death before.
  milliseconds delay;       ///< At least; at most a fifth more.
  restart_reason why;
  milliseconds served = 1s;
};

using enum death::of;
constexpr auto at_once = restart_reason::served;
constexpr auto same_turn = restart_reason::same_turn;
constexpr auto many_deaths = restart_reason::many_deaths;
constexpr auto failed_start = restart_reason::failed_start;

struct history {
  const char* fact;
  std::vector<death> deaths;
};

/// So many deaths that are alike, each at once.
std::vector<death> same(std::size_t count, death one) {
  return std::vector<death>(count, one);
}

std::vector<death> operator+(std::vector<death> first, const std::vector<death>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

/// What restarts when.
const std::vector<history> facts = {
    {"a_worker_that_served_is_back_at_once", {{idle, 0ms, 0ms, at_once}}},
    {"killed_once_a_second_it_is_back_at_once_for_ever", same(1000, {idle, 1s, 0ms, at_once})},
    {"killed_in_other_turns_once_a_second_it_is_back_at_once_for_ever", same(1000, {turn, 1s, 0ms, at_once})},
    {"ten_deaths_at_a_time_are_back_at_once", same(10, {turn, 0ms, 0ms, at_once})},
    {"the_eleventh_death_waits_until_the_first_is_ten_seconds_ago",
     same(10, {idle, 0ms, 0ms, at_once}) + std::vector<death>{{idle, 9'000ms, 1'000ms, many_deaths}}},
    {"that_is_no_longer_than_the_longest_delay",
     same(10, {idle, 0ms, 0ms, at_once}) + std::vector<death>{{idle, 0ms, 5'000ms, many_deaths}}},
    {"and_does_not_double", same(10, {idle, 1s, 0ms, at_once}) + std::vector<death>{{idle, 900ms, 100ms, many_deaths},
                                                                                    {idle, 1s, 100ms, many_deaths},
                                                                                    {idle, 1'100ms, 0ms, at_once}}},
    {"deaths_in_one_actor_and_method_wait_twice_as_long_each_time",
     {{poison, 1s, 0ms, at_once},
      {poison, 1s, 100ms, same_turn},
      {poison, 1s, 200ms, same_turn},
      {poison, 1s, 400ms, same_turn},
      {poison, 1s, 800ms, same_turn},
      {poison, 2s, 1'600ms, same_turn},
      {poison, 3s, 3'200ms, same_turn},
      {poison, 5s, 5'000ms, same_turn},
      {poison, 9s, 5'000ms, same_turn}}},
    {"two_actors_that_take_turns_in_it_are_both_recognised",
     {{poison, 1s, 0ms, at_once},
      {poison2, 1s, 0ms, at_once},
      {poison, 1s, 100ms, same_turn},
      {poison2, 1s, 200ms, same_turn}}},
    {"another_death_in_between_is_at_once_and_does_not_begin_anew",
     {{poison, 1s, 0ms, at_once},
      {poison, 1s, 100ms, same_turn},
      {idle, 1s, 0ms, at_once},
      {poison, 1s, 200ms, same_turn}}},
    {"starts_that_fail_wait_twice_as_long_each_time",
     {{start, 0ms, 100ms, failed_start},
      {start, 1s, 200ms, failed_start},
      {start, 1s, 400ms, failed_start},
      {start, 1s, 800ms, failed_start}}},
    {"a_process_that_served_after_them_is_back_at_once",
     {{start, 0ms, 100ms, failed_start}, {start, 1s, 200ms, failed_start}, {idle, 1s, 0ms, at_once}}},
    {"sixty_healthy_seconds_make_all_forgotten",
     {{poison, 1s, 0ms, at_once},
      {poison, 1s, 100ms, same_turn},
      {poison, 61s, 0ms, at_once, 60s},
      {poison, 1s, 100ms, same_turn}}},
    {"fifty_nine_do_not",
     {{poison, 1s, 0ms, at_once}, {poison, 1s, 100ms, same_turn}, {poison, 60s, 200ms, same_turn, 59s}}},
};

struct what_restarts : testing::TestWithParam<history> {};

TEST_P(what_restarts, when) {
  random_source random{7};
  manual_clock time;
  restart_policy policy{restart_limits{}, random};
  std::uint64_t others = 100;
  std::size_t number = 0;
  for (const death& one : GetParam().deaths) {
    time.advance(one.after_last);
    process_life life{.served = one.what != start, .served_for = one.served};
    if (one.what == turn) life.turn = fatal_turn{++others, "Spin", {}};
    if (one.what == poison) life.turn = fatal_turn{1, "Spin", {}};
    if (one.what == poison2) life.turn = fatal_turn{2, "Spin", {}};
    const restart_decision decision = policy.after_exit(time.now(), life);
    ++number;
    EXPECT_EQ(decision.why, one.why) << "death " << number;
    EXPECT_GE(decision.delay, one.delay) << "death " << number;
    EXPECT_LE(decision.delay, one.delay + one.delay / 5) << "death " << number;
  }
}

INSTANTIATE_TEST_SUITE_P(table, what_restarts, testing::ValuesIn(facts),
                         [](const auto& one) { return std::string{one.param.fact}; });

constexpr process_life never_served{};

struct restart_policy_fixture : testing::Test {
  random_source random{7};
  manual_clock time;
  restart_policy policy{restart_limits{}, random};
};

using restart_policy_test = restart_policy_fixture;

TEST_F(restart_policy_test, the_same_method_of_another_actor_and_another_method_are_other_turns) {
  const auto delay_of = [&](std::uint64_t actor, const std::string& method) {
    return policy.after_exit(time.now(), {true, 1s, fatal_turn{actor, method, {}}}).delay;
  };
  EXPECT_EQ(delay_of(1, "Spin"), 0ms);
  EXPECT_EQ(delay_of(2, "Spin"), 0ms);
  EXPECT_EQ(delay_of(1, "Sleep"), 0ms);
  EXPECT_GT(delay_of(1, "Spin"), 0ms);
}

TEST_F(restart_policy_test, has_the_delays_and_the_budget_that_were_set) {
  restart_policy patient{{.budget = 2, .budget_window = 4s, .first_delay = 1s, .longest_delay = 3s}, random};
  for (const auto expected : {0s, 0s, 3s}) {
    const auto delay = patient.after_exit(time.now(), {.served = true}).delay;
    EXPECT_GE(delay, expected);
    EXPECT_LE(delay, expected + expected / 5.0);
  }
  for (const auto expected : {1s, 2s, 3s, 3s}) {
    const auto delay = patient.after_exit(time.now(), never_served).delay;
    EXPECT_GE(delay, expected);
    EXPECT_LE(delay, expected + expected / 5.0);
  }
}

TEST_F(restart_policy_test, the_jitter_depends_on_the_seed_alone) {
  const auto delays = [](std::uint64_t seed) {
    random_source source{seed};
    restart_policy one{restart_limits{}, source};
    std::vector<milliseconds> out;
    out.reserve(8);
    for (int i = 0; i < 8; ++i)
      out.push_back(one.after_exit(steady_time{}, never_served).delay);
    return out;
  };
  EXPECT_EQ(delays(1), delays(1));
  EXPECT_NE(delays(1), delays(2));
}

TEST_F(restart_policy_test, five_failed_starts_in_the_window_are_no_crash_loop_and_six_are) {
  for (std::uint32_t i = 1; i <= 5; ++i) {
    const auto decision = policy.after_exit(time.now(), never_served);
    EXPECT_EQ(decision.failed_starts, i);
    EXPECT_FALSE(decision.crash_loop);
    time.advance(1s);
  }
  EXPECT_TRUE(policy.after_exit(time.now(), never_served).crash_loop);
}

TEST_F(restart_policy_test, a_failed_start_leaves_the_window) {
  for (int i = 0; i < 5; ++i)
    (void)policy.after_exit(time.now(), never_served);
  time.advance(60s + 1ms);
  const auto decision = policy.after_exit(time.now(), never_served);
  EXPECT_EQ(decision.failed_starts, 1U);
  EXPECT_FALSE(decision.crash_loop);
}

TEST_F(restart_policy_test, a_worker_that_serves_may_be_killed_for_ever) {
  for (int i = 0; i < 300; ++i) {
    EXPECT_FALSE(policy.after_exit(time.now(), {.served = true, .served_for = 1s}).crash_loop);
    time.advance(1s);
  }
}

}  // namespace
}  // namespace grove::server
