// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <limits>

namespace grove {
namespace {

using namespace std::chrono_literals;
using std::chrono::duration;

constexpr steady_time moment{1h};

TEST(time_span, is_exact_where_nanoseconds_can_count_it) {
  static_assert(time_span{7ns}.length() == 7ns);
  static_assert(time_span{-3h}.length() == -3h);
  static_assert(time_span{duration<std::uint8_t, std::ratio<60>>{5}}.length() == 5min);
}

TEST(time_span, of_more_than_nanoseconds_can_count_is_the_longest) {
  constexpr steady_duration longest = steady_duration::max();
  EXPECT_EQ(time_span{std::chrono::hours::max()}.length(), longest);
  EXPECT_EQ(time_span{std::chrono::milliseconds::max()}.length(), longest);
  EXPECT_EQ(time_span{300 * 365 * 24h}.length(), longest) << "300 years";
  EXPECT_EQ((time_span{duration<std::uint64_t, std::milli>::max()}.length()), longest);
  EXPECT_EQ((time_span{duration<std::uint64_t, std::nano>::max()}.length()), longest);
  EXPECT_EQ(time_span{std::chrono::hours::min()}.length(), steady_duration::min());
}

TEST(time_after, stays_at_the_ends_of_time) {
  EXPECT_EQ(time_after(moment, 1h), steady_time{2h});
  EXPECT_EQ(time_after(moment, -2h), steady_time{-1h});
  EXPECT_EQ(time_after(moment, steady_duration::max()), steady_time::max());
  EXPECT_EQ(time_after(moment, std::chrono::hours::max()), steady_time::max());
  EXPECT_EQ(time_after(steady_time::max(), 1ns), steady_time::max());
  EXPECT_EQ(time_after(steady_time::min(), -1ns), steady_time::min());
  EXPECT_EQ(time_after(steady_time{-1h}, std::chrono::hours::min()), steady_time::min());
  EXPECT_EQ(time_after(steady_time::max(), steady_duration::min()), steady_time{-1ns});
}

}  // namespace
}  // namespace grove
