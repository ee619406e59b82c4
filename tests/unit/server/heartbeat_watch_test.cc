// SPDX-License-Identifier: Apache-2.0
#include "server/heartbeat_watch.h"

#include <gtest/gtest.h>

namespace grove::server {
namespace {

using namespace std::chrono_literals;
using order = heartbeat_watch::order;

struct heartbeat_watch_test : testing::Test {
  heartbeat_watch_test() { watch.reset(time.now(), 10); }
  order look(steady_duration later, std::uint64_t beat) {
    time.advance(later);
    return watch.observe(time.now(), beat);
  }
  manual_clock time;
  heartbeat_watch watch{hang_limits{}};
};

TEST_F(heartbeat_watch_test, a_beat_within_two_seconds_is_life) {
  EXPECT_EQ(look(1999ms, 10), order::none);
  EXPECT_EQ(look(1ms, 11), order::none);
  EXPECT_EQ(look(1999ms, 11), order::none);
}

TEST_F(heartbeat_watch_test, aborts_after_two_seconds_and_kills_half_a_second_later_each_once) {
  EXPECT_EQ(look(2s, 10), order::abort);
  EXPECT_EQ(look(499ms, 10), order::none);
  EXPECT_EQ(look(1ms, 10), order::kill);
  EXPECT_EQ(look(10s, 10), order::none);
}

TEST_F(heartbeat_watch_test, kills_as_late_as_was_set) {
  heartbeat_watch patient{{.timeout = 2s, .kill_after_abort = 30s}};
  patient.reset(time.now(), 10);
  EXPECT_EQ(patient.observe(time_after(time.now(), 2s), 10), order::abort);
  EXPECT_EQ(patient.observe(time_after(time.now(), 31'999ms), 10), order::none);
  EXPECT_EQ(patient.observe(time_after(time.now(), 32s), 10), order::kill);
}

TEST_F(heartbeat_watch_test, an_aborted_worker_is_not_saved_by_a_late_beat) {
  EXPECT_EQ(look(2s, 10), order::abort);
  EXPECT_EQ(look(500ms, 11), order::kill);
}

TEST_F(heartbeat_watch_test, what_the_observer_did_not_see_is_forgiven) {
  time.advance(30s);
  watch.forgive(time.now());
  EXPECT_EQ(look(1999ms, 10), order::none);
  EXPECT_EQ(look(1ms, 10), order::abort);
}

TEST_F(heartbeat_watch_test, a_counter_that_starts_again_is_a_beat) {
  EXPECT_EQ(look(1900ms, 0), order::none);
  EXPECT_EQ(look(1900ms, 0), order::none);
}

TEST_F(heartbeat_watch_test, a_timeout_of_zero_never_judges) {
  heartbeat_watch patient{{.timeout = 0s}};
  patient.reset(time.now(), 1);
  EXPECT_EQ(patient.observe(time_after(time.now(), 24h), 1), order::none);
}

TEST_F(heartbeat_watch_test, a_new_process_starts_without_its_predecessors_record) {
  EXPECT_EQ(look(2s, 10), order::abort);
  watch.reset(time.now(), 10);
  EXPECT_EQ(look(1999ms, 10), order::none);
}

}  // namespace
}  // namespace grove::server
