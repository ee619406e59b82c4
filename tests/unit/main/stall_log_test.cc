// SPDX-License-Identifier: Apache-2.0
#include "worker/main/stall_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

#include <memory>
#include <sstream>
#include <string>

#include "base/clock.h"

namespace grove {
namespace {

using namespace std::chrono_literals;
using cause = stall_event::cause;
using stage = stall_event::stage;

class stall_lines : public testing::Test {
 protected:
  stall_lines() { log_.set_pattern("%v"); }

  std::string written(const stall_event& event) {
    text_.str("");
    lines_.write(event);
    return text_.str();
  }

  std::ostringstream text_;
  spdlog::logger log_{"test", std::make_shared<spdlog::sinks::ostream_sink_st>(text_)};
  shared_number held_{};
  shared_number unscheduled_{};
  manual_clock time_;
  stall_log lines_{log_, held_, unscheduled_, time_};
};

TEST_F(stall_lines, name_the_turn_that_holds_the_worker_and_its_stack) {
  EXPECT_EQ(written({.at = stage::began,
                     .lasted = 31ms,
                     .greenlet = "turns",
                     .label = "grove.Echo/busy Spin",
                     .stack = {"inner+0x1", "outer+0x2"}}),
            "stalled for 31 ms: a turn of grove.Echo/busy Spin in greenlet 'turns'; stack: inner+0x1 < outer+0x2\n");
  EXPECT_EQ(written({.at = stage::ended, .lasted = 302ms}), "stall ended after 302 ms\n");
  EXPECT_EQ(held_.get(), 1U);
  EXPECT_EQ(unscheduled_.get(), 0U);
}

TEST_F(stall_lines, blame_nobody_while_the_worker_has_no_processor) {
  EXPECT_EQ(written({.at = stage::began, .why = cause::no_processor, .lasted = 32ms, .unscheduled = 32ms}),
            "was not given the processor for 32 ms; the machine ran something else\n");
  EXPECT_EQ(written({.at = stage::goes_on, .why = cause::no_processor, .lasted = 1032ms, .unscheduled = 1020ms}),
            "was not given the processor for 1020 ms of the last 1032; the machine ran something else\n");
  EXPECT_EQ(written({.at = stage::ended, .why = cause::no_processor, .lasted = 1050ms, .unscheduled = 1030ms}),
            "was not given the processor for 1030 ms of the last 1050, and goes on\n");
  EXPECT_EQ(held_.get(), 0U);
  EXPECT_EQ(unscheduled_.get(), 1U);
}

TEST_F(stall_lines, say_how_much_of_a_stall_was_the_machines) {
  EXPECT_EQ(written({.at = stage::began, .lasted = 60ms, .unscheduled = 30ms, .greenlet = "main"}),
            "stalled for 60 ms (30 of them without a processor) in greenlet 'main'; its stack could not be taken\n");
  EXPECT_EQ(written({.at = stage::ended, .lasted = 90ms, .unscheduled = 40ms}),
            "stall ended after 90 ms (40 of them without a processor)\n");
}

TEST_F(stall_lines, of_one_cause_leave_room_for_those_of_the_other) {
  const stall_event busy_machine{.at = stage::began, .why = cause::no_processor, .lasted = 32ms, .unscheduled = 32ms};
  for (int i = 0; i < 10; ++i)
    EXPECT_NE(written(busy_machine), "");
  EXPECT_EQ(written(busy_machine), "") << "the eleventh in a second";
  EXPECT_NE(written({.at = stage::began, .lasted = 31ms}), "");
  time_.advance(1s);
  EXPECT_THAT(written(busy_machine), testing::HasSubstr("; 1 more since the last line"));
  EXPECT_EQ(unscheduled_.get(), 12U);
}

}  // namespace
}  // namespace grove
