// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/server_process.h"

namespace grove::test {
namespace {

using testing::HasSubstr;

class bench_with_workers : public testing::TestWithParam<unsigned> {};

// The sum over all counters is the number of adds that were acknowledged, however many workers share them.
TEST_P(bench_with_workers, loses_and_repeats_no_add) {
  server_process server{{.workers = GetParam()}};
  const finished_process result = server.cli({"bench", "--connections", "50", "--depth", "16", "--keys", "100000",
                                              "--requests", "200000", "--verify", "--json"});
  EXPECT_EQ(result.exit.code, 0) << result.err << result.out;
  EXPECT_THAT(result.out, HasSubstr("200000"));
}

INSTANTIATE_TEST_SUITE_P(one_two_four, bench_with_workers, testing::Values(1U, 2U, 4U));

TEST(bench, shows_that_waiting_actors_do_not_hold_each_other_up) {
  server_process server{{.workers = 1}};
  const finished_process result = server.cli({"bench", "--scenario", "concurrency"});
  EXPECT_EQ(result.exit.code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("10,000"));
}

}  // namespace
}  // namespace grove::test
