// SPDX-License-Identifier: Apache-2.0
#include "server/worker_table.h"

#include <gtest/gtest.h>

namespace grove::server {
namespace {

using namespace std::chrono_literals;

struct worker_table_test : testing::Test {
  random_source random{1};
  manual_clock time;
  worker_table table{3, restart_limits{}, hang_limits{}, random};
};

TEST_F(worker_table_test, begins_with_nobody) {
  EXPECT_EQ(table.size(), 3U);
  EXPECT_EQ(table.count(worker_state::down), 3U);
  EXPECT_EQ(table.processes(), 0U);
  EXPECT_FALSE(table.all_up());
  EXPECT_FALSE(table.next_restart());
}

TEST_F(worker_table_test, counts_processes_apart_from_states) {
  table[0].pid = 10;
  table[0].state = worker_state::up;
  table[1].pid = 11;
  EXPECT_EQ(table.processes(), 2U);
  EXPECT_EQ(table.count(worker_state::up), 1U);
}

TEST_F(worker_table_test, is_all_up_when_every_slot_is) {
  for (worker_record& record : table)
    record.state = worker_state::up;
  EXPECT_TRUE(table.all_up());
  table[2].state = worker_state::draining;
  EXPECT_FALSE(table.all_up());
}

TEST_F(worker_table_test, the_earliest_pending_restart_is_next) {
  table[0].restart_at = time_after(time.now(), 3s);
  table[2].restart_at = time_after(time.now(), 1s);
  EXPECT_EQ(table.next_restart(), time_after(time.now(), 1s));
}

TEST_F(worker_table_test, somebody_serves_while_one_is_up_or_was_within_the_window) {
  EXPECT_FALSE(table.somebody_serves(time.now(), 60s));
  table[1].last_served_at = time.now();
  time.advance(60s);
  EXPECT_TRUE(table.somebody_serves(time.now(), 60s));
  time.advance(1ms);
  EXPECT_FALSE(table.somebody_serves(time.now(), 60s));
  table[0].state = worker_state::up;
  EXPECT_TRUE(table.somebody_serves(time.now(), 60s));
}

TEST_F(worker_table_test, is_abandoned_when_every_slot_is) {
  table[0].abandoned = table[1].abandoned = true;
  EXPECT_FALSE(table.all_abandoned());
  table[2].abandoned = true;
  EXPECT_TRUE(table.all_abandoned());
}

}  // namespace
}  // namespace grove::server
