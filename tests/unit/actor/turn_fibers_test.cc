// SPDX-License-Identifier: Apache-2.0
#include "worker/actor/turn_fibers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "base/clock.h"

namespace grove::test {
namespace {

using testing::ElementsAre;

std::exception_ptr expired() {
  return std::make_exception_ptr(std::runtime_error{"expired"});
}

class fibers_of_turns : public testing::Test {
 protected:
  manual_clock time;
  hub loop{time};
};

TEST_F(fibers_of_turns, go_on_after_their_work_has_thrown_and_report_it) {
  std::vector<std::string> reports;
  loop.set_error_handler(
      [&reports](std::string_view where, const std::exception_ptr&) { reports.emplace_back(where); });
  int worked = 0;
  turn_fibers all{loop,
                  [&worked](turn_fibers::place&) {
                    if (++worked == 1) throw 42;
                  },
                  expired};
  EXPECT_TRUE(all.resume_one());
  EXPECT_EQ(all.idle(), 1U);
  EXPECT_TRUE(all.resume_one());
  EXPECT_EQ(all.idle(), 1U) << "it is the same one";
  EXPECT_EQ(worked, 2);
  EXPECT_THAT(reports, ElementsAre("a fiber of turns"));
}

TEST_F(fibers_of_turns, are_starved_while_all_stacks_are_taken_and_begin_nothing) {
  const std::size_t allowed = thread_stacks().count_max();
  int worked = 0;
  turn_fibers all{loop, [&worked](turn_fibers::place&) { ++worked; }, expired};
  thread_stacks().set_count_max(thread_stacks().in_use());
  EXPECT_FALSE(all.resume_one());
  EXPECT_TRUE(all.starved());
  thread_stacks().set_count_max(allowed);
  EXPECT_TRUE(all.resume_one());
  EXPECT_FALSE(all.starved());
  EXPECT_EQ(worked, 1);
}

}  // namespace
}  // namespace grove::test
