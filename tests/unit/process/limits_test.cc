// SPDX-License-Identifier: Apache-2.0
#include "base/process/limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "base/limit_text.h"

namespace grove {
namespace {

TEST(limit_table, has_the_names_of_the_settings_and_every_one_once) {
  std::set<std::string_view> seen;
  for (const limit_info& limit : limit_table) {
    EXPECT_TRUE(seen.insert(limit.setting).second) << limit.setting;
    std::string expected = "limits." + std::string(limit.name);
    std::ranges::replace(expected, '_', '-');
    EXPECT_EQ(limit.setting, expected);
  }
}

TEST(limit_table, has_every_default_in_its_range) {
  for (const limit_info& limit : limit_table) {
    EXPECT_GE(limit.standard, limit.least) << limit.name;
    EXPECT_LE(limit.standard, limit.most) << limit.name;
    EXPECT_FALSE(limit.help.empty()) << limit.name;
  }
}

std::uint64_t number(std::uint32_t value) {
  return value;
}

std::uint64_t number(std::chrono::milliseconds value) {
  return static_cast<std::uint64_t>(value.count());
}

TEST(limit_table, has_the_defaults_of_the_limits) {
  const limits made;
#define GROVE_X(name, setting, unit, standard, least, most, help) EXPECT_EQ(number(made.name), std::uint64_t{standard});
  GROVE_LIMITS(GROVE_X)
#undef GROVE_X
}

// What an error says of a limit that a client knows by another name leads to a setting that exists.
TEST(limit_table, has_the_settings_that_errors_name) {
  for (const std::string_view announced :
       {"frame_bytes", "nesting", "key_bytes", "type_bytes", "method_bytes", "metadata_entries", "unfinished_calls"}) {
    EXPECT_THAT(limit_table, testing::Contains(testing::Field(&limit_info::setting, setting_of_limit(announced))));
  }
}

}  // namespace
}  // namespace grove
