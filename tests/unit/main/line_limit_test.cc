// SPDX-License-Identifier: Apache-2.0
#include "worker/main/line_limit.h"

#include <gtest/gtest.h>

namespace grove::test {
namespace {

using namespace std::chrono_literals;

constexpr steady_time start{1h};

TEST(line_limit, lets_ten_lines_a_second_through) {
  line_limit lines;
  for (int line = 0; line < 10; ++line)
    EXPECT_TRUE(lines.admits(start));
  EXPECT_FALSE(lines.admits(start + 999ms));
  EXPECT_TRUE(lines.admits(start + 1s));
}

TEST(line_limit, of_another_kind_of_line_may_be_another) {
  line_limit lines{1, 10s};
  EXPECT_TRUE(lines.admits(start));
  EXPECT_FALSE(lines.admits(start + 9s));
  EXPECT_TRUE(lines.admits(start + 10s));
}

TEST(line_limit, tells_once_how_many_were_kept_quiet) {
  line_limit lines;
  for (int line = 0; line < 13; ++line)
    (void)lines.admits(start);
  EXPECT_EQ(lines.take_kept_quiet(), "; 3 more since the last line");
  EXPECT_EQ(lines.take_kept_quiet(), "");
}

}  // namespace
}  // namespace grove::test
