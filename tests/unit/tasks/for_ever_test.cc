// SPDX-License-Identifier: Apache-2.0

// The longest duration of any unit, and the greatest time point, are for ever: nothing ends at once, and no loop spins.

#include <gtest/gtest.h>
#include <sched.h>

#include <chrono>
#include <thread>

#include "tests/support/hub_fixture.h"
#include "worker/tasks/event.h"
#include "worker/tasks/semaphore.h"
#include "worker/tasks/task.h"
#include "worker/tasks/timeout.h"

namespace grove {
namespace {

using namespace std::chrono_literals;

template <typename Duration>
class for_ever : public hub_fixture {};
using units = testing::Types<steady_duration, std::chrono::microseconds, std::chrono::milliseconds,
                             std::chrono::seconds, std::chrono::hours>;
TYPED_TEST_SUITE(for_ever, units);

TYPED_TEST(for_ever, sleeps) {
  auto task = spawn([] { sleep_for(TypeParam::max()); });
  this->loop.run_ready();
  this->advance(24h);
  EXPECT_FALSE(task->ready());
  task->kill(kill_mode::do_not_wait);
}

TYPED_TEST(for_ever, lets_what_a_time_out_bounds_finish) {
  auto task = spawn([this] {
    timeout longest(TypeParam::max());
    const timeout of_hub(this->loop, TypeParam::max());
    longest.restart(TypeParam::max());
    return with_timeout(TypeParam::max(), [] { sleep_for(1h); });
  });
  this->loop.run_ready();
  this->advance(1h);
  ASSERT_TRUE(task->ready());
  EXPECT_TRUE(task->get());
}

TYPED_TEST(for_ever, waits_for_a_lock) {
  semaphore lock(this->loop, 0);
  auto task = spawn([&] { return lock.try_lock_for(TypeParam::max()); });
  this->loop.run_ready();
  this->advance(24h);
  lock.release();
  this->loop.run_ready();
  EXPECT_TRUE(task->get());
}

TYPED_TEST(for_ever, starts_no_task) {
  bool started = false;
  auto later = spawn_later(TypeParam::max(), [&] { started = true; });
  this->loop.run_ready();
  this->advance(24h);
  EXPECT_FALSE(started);
  later->kill(kill_mode::do_not_wait);
}

using until_for_ever = hub_fixture;

TEST_F(until_for_ever, a_wait_keeps_no_loop_alive_that_nothing_can_wake) {
  event never(loop);
  auto task = spawn([&] { return never.wait_until(steady_time::max()); });
  EXPECT_EQ(loop.join(), loop_end::stuck);
  EXPECT_EQ(loop.join(steady_time::max()), loop_end::stuck);
  never.set();
  EXPECT_EQ(loop.join(), loop_end::finished);
  EXPECT_TRUE(task->get());
}

/// How many passes a loop makes while all that it has is a timer at `when`.
std::uint64_t passes_until(steady_time when) {
  std::uint64_t passes = 0;
  std::thread([&] {
    const system_clock machine;
    hub loop(machine);
    callback_timer far([] {});
    far.arm(loop, when);
    std::thread other([&] {
      while (!loop.asleep())
        ::sched_yield();
      const std::uint64_t before = loop.passes();
      for (int i = 0; i < 100; ++i)
        ::sched_yield();
      passes = loop.passes() - before;
      loop.stop();
    });
    loop.run();
    other.join();
  }).join();
  return passes;
}

TEST(loops, do_not_spin_while_their_earliest_timer_is_at_the_end_of_time) {
  EXPECT_LE(passes_until(steady_time::max()), 1U);
  EXPECT_LE(passes_until(steady_time::max() - 1ns), 1U);
  EXPECT_LE(passes_until(steady_time::max() - 24h), 1U);
}

}  // namespace
}  // namespace grove
