// SPDX-License-Identifier: Apache-2.0
#include "server/partition_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <set>
#include <vector>

namespace grove::server {
namespace {

/// How many partitions each slot owns, as the segment itself says.
std::vector<std::uint32_t> owned(const shared_segment& segment) {
  std::vector<std::uint32_t> count(segment.workers());
  for (std::uint32_t p = 0; p < segment.partitions(); ++p)
    ++count.at(segment.owner_of_partition(p).worker());
  return count;
}

/// A table for `workers` workers. What it says of itself must be what the segment says.
struct dealt {
  explicit dealt(std::uint32_t workers) : segment{shared_segment::create({.workers = workers})}, table{segment} {}
  ~dealt() {
    const std::vector<std::uint32_t> truth = owned(segment);
    for (std::uint32_t slot = 0; slot < segment.workers(); ++slot)
      EXPECT_EQ(table.owned_by(slot), truth[slot]);
    EXPECT_EQ(std::accumulate(truth.begin(), truth.end(), 0U), segment.partitions());
  }

  shared_segment segment;
  partition_table table;
};

TEST(partition_table, begins_with_every_partition_at_home) {
  const dealt all{3};
  for (std::uint32_t slot = 0; slot < 3; ++slot)
    EXPECT_EQ(all.table.away_from(slot), 0U);
  EXPECT_EQ(all.table.owned_by(0) + all.table.owned_by(1) + all.table.owned_by(2), 1024U);
}

TEST(partition_table, takes_over_what_a_segment_says) {
  dealt all{2};
  all.table.deal_out(1, {0});
  const partition_table again{all.segment};
  EXPECT_EQ(again.owned_by(0), 1024U);
  EXPECT_EQ(again.away_from(1), 512U);
}

TEST(partition_table, deals_out_evenly_to_those_who_take) {
  dealt all{4};
  EXPECT_EQ(all.table.deal_out(1, {0, 2, 3}), 256U);
  EXPECT_EQ(all.table.owned_by(1), 0U);
  EXPECT_EQ(all.table.away_from(1), 256U);
  for (const std::uint32_t slot : {0U, 2U, 3U})
    EXPECT_NEAR(all.table.owned_by(slot), 1024.0 / 3, 1);
}

TEST(partition_table, gives_first_to_those_who_have_least) {
  dealt all{4};
  all.table.deal_out(1, {0});
  all.table.deal_out(2, {1, 3});
  EXPECT_EQ(owned(all.segment), (std::vector<std::uint32_t>{512, 256, 0, 256}));
  all.table.deal_out(3, {0, 1, 2});
  EXPECT_EQ(owned(all.segment), (std::vector<std::uint32_t>{512, 256, 256, 0}));
}

TEST(partition_table, raises_the_epoch_of_what_moves_and_of_nothing_else) {
  dealt all{2};
  const auto first = all.segment.owner_of_partition(0);
  const auto last = all.segment.owner_of_partition(1023);
  all.table.deal_out(1, {0});
  EXPECT_EQ(all.segment.owner_of_partition(0), first);
  EXPECT_EQ(all.segment.owner_of_partition(1023), (address_owner{0, 0, last.epoch() + 1}));
  all.table.send_home(0, {1});
  EXPECT_EQ(all.segment.owner_of_partition(0), first);
  EXPECT_EQ(all.segment.owner_of_partition(1023), (address_owner{0, 1, last.epoch() + 2}));
}

TEST(partition_table, keeps_what_nobody_takes) {
  dealt all{2};
  const auto version = all.segment.table_version();
  EXPECT_EQ(all.table.deal_out(1, {}), 0U);
  EXPECT_EQ(all.table.owned_by(1), 512U);
  EXPECT_EQ(all.segment.table_version(), version);
}

TEST(partition_table, sends_home_only_what_has_a_home_to_go_to) {
  dealt all{3};
  all.table.deal_out(1, {0});
  all.table.deal_out(2, {0});
  EXPECT_EQ(all.table.owned_by(0), 1024U);
  const std::uint32_t away = all.table.away_from(2);
  EXPECT_EQ(all.table.send_home(0, {2}), away);
  EXPECT_EQ(all.table.away_from(2), 0U);
  EXPECT_EQ(all.table.owned_by(2), away);
  EXPECT_GT(all.table.away_from(1), 0U);
  EXPECT_EQ(all.table.send_home(0, {2}), 0U);
}

TEST(partition_table, sends_home_before_it_deals_out) {
  dealt all{3};
  const std::uint32_t of_one = all.table.owned_by(1);
  all.table.deal_out(1, {0});
  // Worker 1 has come back, and now worker 0 is gone: its own go to both, those of worker 1 to that one alone.
  all.table.deal_out(0, {1, 2});
  EXPECT_EQ(all.table.away_from(1), 0U);
  EXPECT_GE(all.table.owned_by(1), of_one);
  EXPECT_NEAR(all.table.owned_by(1), 512, 1);
  EXPECT_NEAR(all.table.owned_by(2), 512, 1);
}

TEST(partition_table, gives_every_partition_to_somebody_whoever_goes) {
  dealt all{5};
  for (std::uint32_t round = 0; round < 20; ++round) {
    const std::uint32_t goes = round * 3 % 5;
    std::vector<std::uint32_t> takers;
    for (std::uint32_t slot = 0; slot < 5; ++slot) {
      if (slot != goes && (slot + round) % 4 != 0) takers.push_back(slot);
    }
    all.table.deal_out(goes, takers);
    EXPECT_EQ(all.table.owned_by(goes), 0U);
  }
}

}  // namespace
}  // namespace grove::server
