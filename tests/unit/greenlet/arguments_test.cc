// SPDX-License-Identifier: Apache-2.0
#include "worker/greenlet/arguments.h"

#include <gtest/gtest.h>

#include <memory>

#include "worker/greenlet/greenlet.h"

namespace grove {
namespace {

TEST(arguments, of_no_kind_are_nothing) {
  EXPECT_TRUE(pack().empty());
}

TEST(arguments, one_without_a_name_is_the_object_itself) {
  EXPECT_EQ(pack(1).take<int>(), 1);
  EXPECT_EQ(*pack(std::make_unique<int>(2)).take<std::unique_ptr<int>>(), 2);
}

TEST(arguments, several_without_names_are_a_tuple) {
  EXPECT_EQ((pack(1, 'b').take<std::tuple<int, char>>()), std::tuple(1, 'b'));
}

TEST(arguments, with_names_only_are_found_by_their_names) {
  auto got = pack(named("x", 1), named("y", std::make_unique<int>(2)), named("x", 3)).take<named_values>();
  EXPECT_EQ(got.size(), 2U);
  EXPECT_EQ(got.take<int>("x"), 3);
  EXPECT_EQ(*got.take<std::unique_ptr<int>>("y"), 2);
  EXPECT_EQ(got.take_or("z", 4), 4);
  EXPECT_EQ(got.take_or("x", 5), 5);
  EXPECT_THROW((void)got.take<int>("z"), switch_type_error);
}

TEST(arguments, of_both_kinds_are_a_tuple_and_names) {
  greenlet_ptr child = greenlet::make([](arguments got) {
    const auto [first] = got.positional.take<std::tuple<int>>();
    return first + got.named.take<int>("more");
  });
  EXPECT_EQ(child->switch_to(pack(40, named("more", 2))).take<int>(), 42);
}

}  // namespace
}  // namespace grove
