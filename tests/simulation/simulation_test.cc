// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <optional>
#include <string>

#include "tests/simulation/schedule.h"

namespace grove::test {
namespace {

/// So many schedules of each part fit the time of the suite; there are fewer where a sanitizer looks on. Environment:
/// GROVE_SIMULATION_SEED replays one, with its log; GROVE_SIMULATION_SCHEDULES sets how many there are.
constexpr std::uint64_t schedules_by_default = GROVE_SIMULATION_SCHEDULES_BY_DEFAULT;

std::optional<std::uint64_t> from_environment(const char* name) {
  const char* const value = std::getenv(name);
  if (value == nullptr) return std::nullopt;
  return std::stoull(value);
}

/// A check of the server's own ends the process: its last words are the seed.
std::array<char, 64> last_words{};

void say_seed(int) {
  [[maybe_unused]] const ssize_t said = ::write(STDOUT_FILENO, last_words.data(), std::strlen(last_words.data()));
}

schedule_result run_and_name(std::uint64_t seed) {
  std::snprintf(last_words.data(), last_words.size(), "GROVE_SIMULATION_SEED=%llu\n",
                static_cast<unsigned long long>(seed));
  std::signal(SIGABRT, say_seed);
  const schedule_result result = run_schedule(seed);
  std::signal(SIGABRT, SIG_DFL);
  return result;
}

/// Eight parts, so that they run beside one another.
class simulation : public testing::TestWithParam<std::uint64_t> {};

TEST_P(simulation, keeps_every_promise_whatever_fails) {
  if (const auto seed = from_environment("GROVE_SIMULATION_SEED")) {
    const schedule_result result = run_schedule(*seed, true);
    EXPECT_EQ(result.failure, "");
    return;
  }
  const std::uint64_t count = from_environment("GROVE_SIMULATION_SCHEDULES").value_or(schedules_by_default);
  schedule_result sum;
  for (std::uint64_t i = 0; i < count; ++i) {
    const schedule_result result = run_and_name(GetParam() * 1'000'000 + i);
    ASSERT_EQ(result.failure, "") << "replay it with GROVE_SIMULATION_SEED=" << result.seed;
    sum.asked += result.asked;
    sum.answered += result.answered;
    sum.cut += result.cut;
    sum.told += result.told;
    sum.tells_lost += result.tells_lost;
    sum.deaths += result.deaths;
    sum.moved += result.moved;
    sum.drained += result.drained;
  }
  std::cout << count << " schedules: " << sum.asked << " requests, " << sum.answered << " answered, " << sum.cut
            << " cut off; " << sum.told << " tells, " << sum.tells_lost << " counted as lost; " << sum.deaths
            << " workers died, " << sum.moved << " partitions changed hands; " << sum.drained << " servers drained\n";
  EXPECT_EQ(sum.asked, sum.answered + sum.cut);
  EXPECT_GT(sum.answered, count);
  if (count >= 100) {
    EXPECT_GT(sum.deaths, 0U);
    EXPECT_GT(sum.tells_lost, 0U);
    EXPECT_GT(sum.moved, 0U);
    EXPECT_GT(sum.drained, 0U);
  }
}

TEST(a_schedule, happens_again_from_its_seed) {
  const schedule_result first = run_schedule(4);
  EXPECT_GT(first.answered, 0U);
  EXPECT_GT(first.deaths, 0U);
  EXPECT_EQ(run_schedule(4).trace, first.trace);
  EXPECT_NE(run_schedule(5).trace, first.trace);
}

INSTANTIATE_TEST_SUITE_P(part, simulation, testing::Range<std::uint64_t>(0, 8));

}  // namespace
}  // namespace grove::test
