// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "base/check.h"
#include "tests/support/hub_fixture.h"
#include "worker/hub/callback_timer.h"
#include "worker/hub/hub_task.h"
#include "worker/hub/waiter.h"
#include "worker/tasks/task.h"

namespace grove {
namespace {

using namespace std::chrono_literals;

class hub_invariants : public hub_fixture {};

class counted_item final : public ready_item {
 public:
  void run() override { ++ran; }
  int ran = 0;
};

/// A task that is listed twice, as only a task itself can be.
class listed_task final : public hub_task {
 public:
  explicit listed_task(hub& on) : hub_task(on) {}
  [[nodiscard]] bool ready() const noexcept override { return false; }
  void list() { enlist(); }
  void unlist() { delist(); }

 private:
  void exit_with_hub() override {}
  void exit_at_once() override {}
  [[nodiscard]] std::exception_ptr take_deferred_kill() noexcept override { return nullptr; }
};

TEST_F(hub_invariants, hold_while_everything_is_under_way) {
  counted_item first;
  counted_item second;
  callback_timer early{[] {}};
  callback_timer late{[] {}};
  callback_timer background{[] {}};
  background.set_background(true);
  late.arm(loop, time_after(time.now(), 20ms));
  early.arm(loop, time_after(time.now(), 10ms));
  background.arm(loop, time_after(time.now(), 15ms));
  loop.post(first);
  loop.post(second, hub_priority::low);
  loop.unpost(first);
  auto sleeper = spawn([] { sleep_for(30ms); });
  auto giving_way = spawn([] { yield(); });
  loop.check_invariants();
  while (loop.poll())
    loop.check_invariants();
  late.disarm();
  loop.check_invariants();
  advance(50ms);
  EXPECT_TRUE(sleeper->ready() && giving_way->ready());
  EXPECT_EQ(first.ran, 0);
  EXPECT_EQ(second.ran, 1);
}

TEST_F(hub_invariants, notice_a_task_that_is_not_listed_and_counted_alike) {
  EXPECT_DEATH(
      {
        listed_task one{loop};
        listed_task other{loop};
        one.list();
        other.list();
        one.unlist();
        other.unlist();
        // Its neighbour still leads to the one that has gone.
        one.list();
        loop.check_invariants();
      },
      "task");
}

TEST_F(hub_invariants, are_looked_at_on_the_hubs_thread) {
  EXPECT_DEATH(std::thread([this] { loop.check_invariants(); }).join(), "from another thread");
}

TEST_F(hub_invariants, a_component_is_attached_once) {
  struct idle_component final : hub_component {
    bool poll() override { return false; }
    bool prepare_sleep() override { return true; }
    void woke() override {}
  } component;
  EXPECT_DEATH(loop.detach(component), "a component is detached that is not attached");
  loop.attach(component);
  EXPECT_DEATH(loop.attach(component), "a component is attached twice");
  loop.detach(component);
}

TEST_F(hub_invariants, a_waiter_is_in_one_list) {
  waiter one{loop};
  waiter_list first;
  waiter_list second;
  first.push(one);
  EXPECT_DEATH(second.push(one), "a waiter is in two lists");
  EXPECT_DEATH(second.remove(one), "a waiter is taken out of a list that it is not in");
}

TEST_F(hub_invariants, a_hub_is_released_as_often_as_it_is_held) {
  EXPECT_DEATH(loop.release(), "a hub is released more often than it was held");
}

TEST_F(hub_invariants, a_timer_stays_in_the_background_or_out_of_it_while_it_is_armed) {
  callback_timer timer{[] {}};
  timer.arm(loop, time_after(time.now(), 10ms));
  EXPECT_DEATH(timer.set_background(true), "while it is armed");
}

#if GROVE_DEBUG_CHECKS
TEST_F(hub_invariants, an_item_is_posted_once_at_a_time) {
  counted_item item;
  EXPECT_DEATH(loop.unpost(item), "an item is taken out of a queue that it is not in");
  loop.post(item);
  EXPECT_DEATH(loop.post(item), "an item is posted twice");
  EXPECT_DEATH(loop.unpost(item, hub_priority::low), "an item is taken out of a queue that it is not in");
  loop.run_ready();
  EXPECT_EQ(item.ran, 1);
}

TEST_F(hub_invariants, an_item_is_posted_on_the_hubs_thread) {
  counted_item item;
  EXPECT_DEATH(std::thread([&] { loop.post(item); }).join(), "an item is posted from another thread");
}

TEST_F(hub_invariants, one_greenlet_waits_in_a_waiter) {
  EXPECT_DEATH(
      {
        waiter shared{loop};
        auto one = spawn([&] { shared.wait(); });
        auto other = spawn([&] { shared.wait(); });
        loop.run_ready();
      },
      "two greenlets wait in one waiter");
}
#endif

}  // namespace
}  // namespace grove
