// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace grove {
namespace {

// The hash is part of the client protocol: a client of another version computes these same numbers.
TEST(hash, of_an_address_never_changes) {
  EXPECT_EQ(hash_of_address(hash_of_name("grove.Counter"), "visits"), 12538596078865683130ULL);
}

TEST(hash, depends_on_type_and_key) {
  EXPECT_NE(hash_of_address(hash_of_name("A"), "k"), hash_of_address(hash_of_name("B"), "k"));
  EXPECT_NE(hash_of_address(hash_of_name("A"), "k"), hash_of_address(hash_of_name("A"), "l"));
}

TEST(hash, spreads_keys_evenly_over_partitions) {
  std::vector<int> keys(default_partitions);
  for (int i = 0; i < 1024 * 100; ++i) {
    ++keys.at(partition_of(hash_of_address(hash_of_name("T"), std::to_string(i)), default_partitions));
  }
  EXPECT_GT(*std::min_element(keys.begin(), keys.end()), 50);
  EXPECT_LT(*std::max_element(keys.begin(), keys.end()), 160);
}

TEST(hash, partition_is_below_the_number_of_partitions_for_every_hash) {
  EXPECT_EQ(partition_of(0, 1), 0U);
  EXPECT_EQ(partition_of(UINT64_MAX, 1), 0U);
  EXPECT_EQ(partition_of(UINT64_MAX, 1000), 999U);
}

}  // namespace
}  // namespace grove
