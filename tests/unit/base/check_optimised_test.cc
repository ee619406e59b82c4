// SPDX-License-Identifier: Apache-2.0

// The checks as an optimised build has them, whatever this one is.
#ifndef NDEBUG
#define NDEBUG
#endif

#include <gtest/gtest.h>

#include "base/check.h"

namespace grove {
namespace {

TEST(debug_check, evaluates_nothing_where_it_is_off) {
  int evaluated = 0;
  GROVE_DEBUG_CHECK(++evaluated != 0, "whatever it is");
  EXPECT_EQ(evaluated, GROVE_DEBUG_CHECKS);
}

TEST(check, is_there_in_an_optimised_build) {
  EXPECT_DEATH(GROVE_CHECK(false, "in every build"), "check failed: false: in every build at ");
}

}  // namespace
}  // namespace grove
