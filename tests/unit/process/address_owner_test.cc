// SPDX-License-Identifier: Apache-2.0
#include "base/process/address_owner.h"

#include <gtest/gtest.h>

#include "base/process/shared_segment_layout.h"

namespace grove {
namespace {

TEST(address_owner, has_its_parts_whatever_the_others_are) {
  constexpr address_owner owner{0xffff, workers_max - 1, 0xffffffff};
  EXPECT_EQ(owner.node(), 0xffffU);
  EXPECT_EQ(owner.worker(), workers_max - 1);
  EXPECT_EQ(owner.epoch(), 0xffffffffU);
  EXPECT_EQ(address_owner::from_word(owner.word()), owner);
}

TEST(address_owner, is_at_its_worker_of_its_node_in_every_epoch) {
  for (const std::uint32_t epoch : {1U, 2U, 0x10000U}) {
    const address_owner owner{0, 3, epoch};
    EXPECT_TRUE(owner.is_at(0, 3));
    EXPECT_FALSE(owner.is_at(0, 2));
    EXPECT_FALSE(owner.is_at(1, 3)) << "another machine's";
  }
}

TEST(address_owner, of_another_epoch_is_another) {
  EXPECT_NE((address_owner{0, 3, 1}), (address_owner{0, 3, 2}));
}

}  // namespace
}  // namespace grove
