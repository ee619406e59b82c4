// SPDX-License-Identifier: Apache-2.0
#include "client/load/histogram.h"

#include <gtest/gtest.h>

#include <memory>

namespace grove::cli {
namespace {

TEST(histogram, small_values_are_exact) {
  histogram h;
  for (std::uint64_t i = 1; i <= 100; ++i)
    h.record(i);
  EXPECT_EQ(h.count(), 100U);
  EXPECT_EQ(h.at(0.5), 50U);
  EXPECT_EQ(h.at(0.99), 99U);
  EXPECT_EQ(h.at(1), 100U);
  EXPECT_EQ(h.max(), 100U);
  EXPECT_DOUBLE_EQ(h.mean(), 50.5);
}

TEST(histogram, no_value_is_read_back_smaller_or_more_than_a_128th_too_large) {
  for (std::uint64_t value = 1; value < UINT64_MAX / 3; value = value * 3 + 1) {
    const std::uint64_t last = histogram::last_of(histogram::bucket_of(value));
    EXPECT_GE(last, value);
    EXPECT_LE(last - value, value / 128 + 1) << value;
  }
}

TEST(histogram, buckets_follow_each_other_without_gaps) {
  for (std::size_t bucket = 0; bucket < 3'000; ++bucket) {
    EXPECT_EQ(histogram::bucket_of(histogram::last_of(bucket)), bucket);
    EXPECT_EQ(histogram::bucket_of(histogram::last_of(bucket) + 1), bucket + 1);
  }
}

TEST(histogram, takes_every_64_bit_value) {
  histogram h;
  h.record(0);
  h.record(UINT64_MAX);
  EXPECT_EQ(h.at(0.5), 0U);
  EXPECT_EQ(h.at(1), UINT64_MAX);
}

TEST(histogram, an_empty_one_is_all_zero) {
  const histogram h;
  EXPECT_EQ(h.at(0.99), 0U);
  EXPECT_EQ(h.max(), 0U);
  EXPECT_DOUBLE_EQ(h.mean(), 0);
}

TEST(histogram, merging_is_as_if_one_had_recorded_all) {
  histogram a;
  histogram b;
  for (std::uint64_t i = 1; i <= 50; ++i)
    a.record(i);
  for (std::uint64_t i = 51; i <= 100; ++i)
    b.record(i);
  a.merge(b);
  EXPECT_EQ(a.count(), 100U);
  EXPECT_EQ(a.at(0.9), 90U);
  EXPECT_EQ(a.max(), 100U);
}

}  // namespace
}  // namespace grove::cli
