// SPDX-License-Identifier: Apache-2.0
#include "server/restart_policy.h"

#include <gtest/gtest.h>

namespace grove::server {
namespace {

using namespace std::chrono_literals;

constexpr process_life never_served{};
constexpr process_life served_briefly{true, 1s};

struct restart_policy_fixture : testing::Test {
  random_source random{7};
  manual_clock time;
  restart_policy policy{restart_limits{}, random};
};

using restart_policy_test = restart_policy_fixture;

TEST_F(restart_policy_test, restarts_at_once_and_then_backs_off_to_five_seconds) {
  const std::chrono::milliseconds base[] = {0ms, 100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 5000ms, 5000ms, 5000ms};
  for (const auto expected : base) {
    const auto delay = policy.after_exit(time.now(), served_briefly).delay;
    EXPECT_GE(delay, expected);
    EXPECT_LE(delay, expected + expected / 5);
    time.advance(1s);
  }
}

TEST_F(restart_policy_test, starts_anew_after_sixty_healthy_seconds) {
  for (int i = 0; i < 8; ++i)
    (void)policy.after_exit(time.now(), served_briefly);
  EXPECT_GT(policy.after_exit(time.now(), {true, 59s}).delay, 0ms);
  EXPECT_EQ(policy.after_exit(time.now(), {true, 60s}).delay, 0ms);
  EXPECT_GT(policy.after_exit(time.now(), served_briefly).delay, 0ms);
}

TEST_F(restart_policy_test, has_the_delays_that_were_set) {
  restart_policy patient{{.first_delay = 1s, .longest_delay = 3s, .healthy_after = 10s}, random};
  for (const auto expected : {0s, 1s, 2s, 3s, 3s}) {
    const auto delay = patient.after_exit(time.now(), served_briefly).delay;
    EXPECT_GE(delay, expected);
    EXPECT_LE(delay, expected + expected / 5.0);
  }
  EXPECT_EQ(patient.after_exit(time.now(), {true, 10s}).delay, 0ms);
}

TEST_F(restart_policy_test, the_jitter_depends_on_the_seed_alone) {
  const auto delays = [](std::uint64_t seed) {
    random_source source{seed};
    restart_policy one{restart_limits{}, source};
    std::vector<std::chrono::milliseconds> out;
    for (int i = 0; i < 8; ++i)
      out.push_back(one.after_exit(steady_time{}, served_briefly).delay);
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
    EXPECT_FALSE(policy.after_exit(time.now(), served_briefly).crash_loop);
    time.advance(1s);
  }
}

}  // namespace
}  // namespace grove::server
