// SPDX-License-Identifier: Apache-2.0
// Tools for who looks for a bug: what the greenlets do, and whether a block of code lets others run.
#include "worker/tasks/run_info.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "tests/support/hub_fixture.h"
#include "worker/tasks/assert_switches.h"
#include "worker/tasks/event.h"
#include "worker/tasks/task.h"

namespace grove {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using run_information = hub_fixture;

TEST_F(run_information, has_every_greenlet_with_its_state_and_its_stack) {
  event never(loop);
  std::string inside;
  auto waiting = spawn([&] { never.wait(); });
  waiting->set_name("waiting");
  auto ready = spawn([&] { yield(); });
  ready->set_name("ready");
  auto looking = spawn([&] { inside = run_info(loop); });
  looking->set_name("looking");
  loop.poll();
  EXPECT_THAT(inside, testing::MatchesRegex("0x[0-9a-f]+  'main'  suspended  the hub\n(.|\n)*"));
  EXPECT_THAT(inside, testing::ContainsRegex("\n  0x[0-9a-f]+  'waiting'  waits in line\n      #0 "));
  EXPECT_THAT(inside, testing::ContainsRegex("'ready'  ready\n"));
  EXPECT_THAT(inside, testing::ContainsRegex("'looking'  runs\n"));
  EXPECT_THAT(inside, HasSubstr("grove::event::wait"));
  never.set();
  loop.run_ready();
  EXPECT_EQ(run_info(loop).find("'waiting'"), std::string::npos) << "it has finished";
}

/// Runs a body as a task and says what its watch said.
class switches_asserted : public hub_fixture {
 protected:
  template <typename F>
  std::string verdict(std::optional<steady_duration> held_max, F body) {
    std::string said;
    spawn([&] {
      try {
        with_switches_asserted(loop, held_max, body);
      } catch (const failed_to_switch& error) {
        said = error.what();
      } catch (const std::runtime_error& error) {
        said = error.what();
      }
    });
    loop.run_ready();
    return said;
  }
};

TEST_F(switches_asserted, fail_a_block_that_never_yields) {
  EXPECT_THAT(verdict(std::nullopt, [] {}), HasSubstr("never did"));
  EXPECT_EQ(verdict(std::nullopt, [] { yield(); }), "");
  EXPECT_FALSE(current_trace());
}

TEST_F(switches_asserted, fail_a_block_that_holds_the_thread_too_long_at_any_one_time) {
  EXPECT_EQ(verdict(10ms,
                    [&] {
                      time.advance(10ms);
                      yield();
                      time.advance(10ms);
                    }),
            "");
  for (const bool at_the_end : {false, true}) {
    EXPECT_THAT(verdict(10ms,
                        [&] {
                          if (!at_the_end) time.advance(11ms);
                          yield();
                          if (at_the_end) time.advance(11ms);
                        }),
                HasSubstr("held the thread for 11000 us"));
  }
  EXPECT_EQ(verdict(10ms,
                    [&] {
                      loop.post([&] { time.advance(1h); });
                      yield();
                    }),
            "")
      << "what others take does not count";
}

TEST_F(switches_asserted, hide_no_error_of_the_block_and_nest) {
  EXPECT_EQ(verdict(std::nullopt, [] { throw std::runtime_error("its own"); }), "its own");
  EXPECT_EQ(verdict(std::nullopt, [&] { with_switches_asserted(loop, std::nullopt, [] { yield(); }); }), "");
  EXPECT_FALSE(current_trace());
}

}  // namespace
}  // namespace grove
