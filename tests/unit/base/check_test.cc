// SPDX-License-Identifier: Apache-2.0
#include "base/check.h"

#include <gtest/gtest.h>

namespace grove {
namespace {

TEST(check, ends_the_process_and_says_what_was_promised) {
  EXPECT_DEATH(GROVE_CHECK(1 + 1 == 3, "two and one are three"),
               "check failed: 1 \\+ 1 == 3: two and one are three at .*check_test.cc");
}

TEST(check, evaluates_its_condition_once) {
  int evaluated = 0;
  GROVE_CHECK(++evaluated == 1, "it is looked at once");
  EXPECT_EQ(evaluated, 1);
}

#if GROVE_DEBUG_CHECKS
TEST(debug_check, is_a_check_in_this_build) {
  int evaluated = 0;
  GROVE_DEBUG_CHECK(++evaluated == 1, "it is looked at once");
  EXPECT_EQ(evaluated, 1);
  EXPECT_DEATH(GROVE_DEBUG_CHECK(evaluated == 2, "a promise"), "check failed: evaluated == 2: a promise at ");
}
#endif

}  // namespace
}  // namespace grove
