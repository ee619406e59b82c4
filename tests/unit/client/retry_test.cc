// SPDX-License-Identifier: Apache-2.0
#include "client/retry.h"

#include <gtest/gtest.h>

namespace grove {
namespace {

using namespace std::chrono_literals;

struct judgement {
  const char* name;
  status_code code;
  outcome result;
  unsigned attempts;
  std::chrono::milliseconds left;
  bool again;
};

class retry_judgement : public ::testing::TestWithParam<judgement> {};

TEST_P(retry_judgement, is_as_the_table_says) {
  const judgement& given = GetParam();
  retry_policy policy{retry_options{}};
  random_source random{1};
  const steady_time now{1h};
  const auto pause = policy.failed(given.code, given.result, given.attempts, now, time_after(now, given.left), random);
  EXPECT_EQ(pause.has_value(), given.again);
}

INSTANTIATE_TEST_SUITE_P(
    table, retry_judgement,
    ::testing::Values(judgement{"first", status_code::unavailable, outcome::not_executed, 1, 1s, true},
                      judgement{"second", status_code::unavailable, outcome::not_executed, 2, 1s, true},
                      judgement{"third", status_code::unavailable, outcome::not_executed, 3, 1s, false},
                      judgement{"may_have_run", status_code::unavailable, outcome::unknown, 1, 1s, false},
                      judgement{"has_run", status_code::unavailable, outcome::executed, 1, 1s, false},
                      judgement{"does_not_say", status_code::unavailable, outcome::unspecified, 1, 1s, false},
                      judgement{"full", status_code::resource_exhausted, outcome::not_executed, 1, 1s, false},
                      judgement{"expired", status_code::deadline_exceeded, outcome::not_executed, 1, 1s, false},
                      judgement{"wrong", status_code::invalid_argument, outcome::not_executed, 1, 1s, false},
                      judgement{"no_time", status_code::unavailable, outcome::not_executed, 1, 5ms, false},
                      judgement{"too_late", status_code::unavailable, outcome::not_executed, 1, -1ms, false}),
    [](const auto& each) { return each.param.name; });

[[nodiscard]] bool fails(retry_policy& policy) {
  random_source random{1};
  const steady_time now{1h};
  return policy.failed(status_code::unavailable, outcome::not_executed, 1, now, steady_time::max(), random).has_value();
}

TEST(retry_policy, stops_when_half_of_the_tokens_are_gone) {
  retry_policy policy{retry_options{}};
  int allowed = 0;
  while (fails(policy))
    ++allowed;
  EXPECT_EQ(allowed, 4);
  EXPECT_DOUBLE_EQ(policy.tokens(), 5);
}

TEST(retry_policy, gains_a_tenth_of_a_token_with_each_success) {
  retry_policy policy{retry_options{}};
  while (fails(policy)) {
  }
  for (int i = 0; i < 11; ++i)
    policy.succeeded();
  EXPECT_TRUE(fails(policy));
  EXPECT_FALSE(fails(policy));
}

TEST(retry_policy, never_has_more_tokens_than_it_began_with) {
  retry_policy policy{retry_options{}};
  policy.succeeded();
  EXPECT_DOUBLE_EQ(policy.tokens(), 10);
}

TEST(jittered_pause, doubles_up_to_the_longest_and_stays_within_half) {
  random_source random{7};
  for (unsigned failures = 1; failures < 100; ++failures) {
    const auto full = std::min(20ms * (failures < 7 ? 1 << (failures - 1) : 64), 1'000ms);
    const auto pause = jittered_pause(20ms, 1'000ms, failures, random);
    EXPECT_GE(pause, full / 2) << failures;
    EXPECT_LE(pause, full) << failures;
  }
}

TEST(jittered_pause, of_for_ever_stays_for_ever) {
  random_source random{7};
  constexpr auto longest = std::chrono::milliseconds::max();
  for (const unsigned failures : {1U, 7U, 64U})
    EXPECT_GE(jittered_pause(longest, longest, failures, random), steady_duration::max() / 2);
  EXPECT_GT(jittered_pause(longest / 4, longest, 64, random), steady_duration::max() / 2);
}

}  // namespace
}  // namespace grove
