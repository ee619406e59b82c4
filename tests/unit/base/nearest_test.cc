// SPDX-License-Identifier: Apache-2.0
#include "base/nearest.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace grove {
namespace {

constexpr std::array<std::string_view, 3> words = {"grove.Counter", "grove.Map", "grove.Topic"};

TEST(nearest, finds_a_word_with_a_typing_error) {
  EXPECT_EQ(nearest("grove.Conter", words), "grove.Counter");
  EXPECT_EQ(nearest("GROVE.MAP", words), "grove.Map");
}

TEST(nearest, is_empty_when_no_word_is_near) {
  EXPECT_EQ(nearest("completely else", words), "");
}

TEST(nearest, does_not_compare_texts_that_are_no_names) {
  EXPECT_EQ(nearest(std::string(100'000, 'x'), words), "");
}

}  // namespace
}  // namespace grove
