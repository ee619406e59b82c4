// SPDX-License-Identifier: Apache-2.0
#include "base/status.h"

#include <gtest/gtest.h>

namespace grove {
namespace {

TEST(status, is_ok_without_arguments) {
  EXPECT_TRUE(status{}.ok());
  EXPECT_EQ(status{}.to_string(), "OK");
}

TEST(status, says_code_and_message) {
  EXPECT_EQ((status{status_code::not_found, "no actor type 'X'"}.to_string()), "NOT_FOUND: no actor type 'X'");
}

TEST(status, names_every_canonical_code_and_no_other) {
  EXPECT_EQ(to_string(status_code::unauthenticated), "UNAUTHENTICATED");
  EXPECT_EQ(to_string(static_cast<status_code>(17)), "UNKNOWN");
}

TEST(status, error_types_carry_their_code) {
  try {
    throw invalid_argument{"amount must be positive"};
  } catch (const status_error& e) {
    EXPECT_EQ(e.code(), status_code::invalid_argument);
    EXPECT_STREQ(e.what(), "amount must be positive");
  }
}

}  // namespace
}  // namespace grove
