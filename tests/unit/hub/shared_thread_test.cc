// SPDX-License-Identifier: Apache-2.0
// Several hubs on one thread, polled by turns, as a simulated server has them.
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "worker/hub/hub.h"
#include "worker/hub/hub_scope.h"
#include "worker/hub/hub_task.h"
#include "worker/tasks/task.h"

namespace grove {
namespace {

using namespace std::chrono_literals;

class two_hubs : public testing::Test {
 protected:
  manual_clock time;
  hub first{time, {.shares_thread = true}};
  hub second{time, {.shares_thread = true}};
};

TEST_F(two_hubs, are_the_threads_only_within_a_scope) {
  EXPECT_EQ(hub::current_or_null(), nullptr);
  {
    const hub_scope outer{first};
    EXPECT_EQ(hub::current_or_null(), &first);
    {
      const hub_scope inner{second};
      EXPECT_EQ(hub::current_or_null(), &second);
    }
    EXPECT_EQ(hub::current_or_null(), &first);
  }
  EXPECT_EQ(hub::current_or_null(), nullptr);
}

TEST_F(two_hubs, run_the_tasks_of_their_own_passes) {
  std::vector<std::string> ran;
  const auto body = [&](const std::string& who, hub& mine) {
    return [&ran, who, &mine] {
      for (int step = 0; step < 2; ++step) {
        EXPECT_EQ(&hub::current(), &mine);
        ran.push_back(who);
        sleep_for(1ms);
      }
    };
  };
  {
    const hub_scope own{first};
    spawn(body("first", first));
  }
  {
    const hub_scope own{second};
    spawn(body("second", second));
  }
  second.run_ready();
  EXPECT_EQ(ran, (std::vector<std::string>{"second"}));
  first.run_ready();
  time.advance(1ms);
  first.run_ready();
  second.run_ready();
  EXPECT_EQ(ran, (std::vector<std::string>{"second", "first", "first", "second"}));
  time.advance(1ms);
  first.run_ready();
  second.run_ready();
}

TEST_F(two_hubs, sleep_until_something_wakes_them) {
  EXPECT_TRUE(first.fall_asleep());
  EXPECT_TRUE(first.asleep());
  EXPECT_FALSE(first.has_work());
  first.poke();
  EXPECT_TRUE(first.has_work());
  first.wake_up();
  EXPECT_FALSE(first.asleep());
  EXPECT_FALSE(first.fall_asleep()) << "it was poked and has not looked";
  EXPECT_FALSE(first.asleep());
  first.run_ready();
  EXPECT_TRUE(first.fall_asleep());
  first.wake_up();
}

TEST_F(two_hubs, have_work_when_a_timer_is_due) {
  int fired = 0;
  callback_timer timer{[&fired] { ++fired; }};
  EXPECT_FALSE(first.next_timer());
  timer.arm_after(first, 5ms);
  EXPECT_EQ(first.next_timer(), time_after(time.now(), 5ms));
  ASSERT_TRUE(first.fall_asleep());
  EXPECT_FALSE(first.has_work());
  time.advance(5ms);
  EXPECT_TRUE(first.has_work());
  EXPECT_FALSE(second.has_work());
  first.wake_up();
  first.run_ready();
  EXPECT_EQ(fired, 1);
}

TEST(a_hub, of_its_own_thread_stays_current_between_passes) {
  const manual_clock time;
  hub only{time};
  EXPECT_EQ(hub::current_or_null(), &only);
  only.run_ready();
  EXPECT_EQ(hub::current_or_null(), &only);
  EXPECT_THROW(hub(time, {}), greenlet_error);
}

}  // namespace
}  // namespace grove
