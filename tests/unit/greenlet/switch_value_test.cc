// SPDX-License-Identifier: Apache-2.0
#include "worker/greenlet/switch_value.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>

#include "worker/greenlet/unique_function.h"

namespace grove {
namespace {

TEST(switch_value, knows_what_it_holds) {
  switch_value held(5);
  EXPECT_TRUE(held.is<int>());
  EXPECT_FALSE(held.is<long>());
  EXPECT_EQ(held.get_if<long>(), nullptr);
  EXPECT_THROW((void)held.take<long>(), std::bad_any_cast);
  EXPECT_EQ(held.take<int>(), 5);
  EXPECT_TRUE(held.empty());
}

TEST(switch_value, destroys_small_and_large_objects_once) {
  auto counted = std::make_shared<int>(0);
  struct large {
    std::shared_ptr<int> owned;
    std::array<char, 200> more;
  };
  {
    switch_value small(counted);
    switch_value big(large{counted, {}});
    switch_value moved(std::move(big));
    small = std::move(moved);
    EXPECT_EQ(counted.use_count(), 2);
    EXPECT_EQ(small.take<large>().owned, counted);
  }
  EXPECT_EQ(counted.use_count(), 1);
}

TEST(unique_function, moves_small_and_large_callables) {
  auto counted = std::make_unique<int>(20);
  unique_function<int(int)> small = [owned = std::move(counted)](int add) { return *owned + add; };
  unique_function<int(int)> large = [room = std::array<int, 100>{1}](int add) { return room[0] + add; };
  unique_function<int(int)> moved = std::move(small);
  EXPECT_FALSE(small);  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(moved(2), 22);
  moved = std::move(large);
  EXPECT_EQ(moved(2), 3);
  moved.reset();
  EXPECT_FALSE(moved);
}

}  // namespace
}  // namespace grove
