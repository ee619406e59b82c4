// SPDX-License-Identifier: Apache-2.0
#include "worker/hub/timer.h"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include "tests/support/hub_fixture.h"

namespace grove {
namespace {

using namespace std::chrono_literals;
using hub_timers = hub_fixture;

class recording_timer final : public hub_timer {
 public:
  recording_timer(std::vector<int>& into, int number) : into_(into), number_(number) {}

 private:
  void expired() override { into_.push_back(number_); }
  std::vector<int>& into_;
  int number_;
};

TEST_F(hub_timers, expire_in_the_order_of_their_times_and_then_of_arming) {
  std::vector<int> order;
  recording_timer a(order, 1);
  recording_timer b(order, 2);
  recording_timer c(order, 3);
  a.arm_after(loop, 2s);
  b.arm_after(loop, 1s);
  c.arm_after(loop, 1s);
  loop.run_ready();
  EXPECT_TRUE(order.empty());
  advance(1s);
  EXPECT_EQ(order, (std::vector{2, 3}));
  advance(1s);
  EXPECT_EQ(order, (std::vector{2, 3, 1}));
  EXPECT_FALSE(a.armed());
}

TEST_F(hub_timers, can_be_moved_and_disarmed) {
  std::vector<int> order;
  recording_timer a(order, 1);
  recording_timer b(order, 2);
  a.arm_after(loop, 1s);
  b.arm_after(loop, 1s);
  a.arm_after(loop, 5s);
  b.disarm();
  b.disarm();
  advance(4s);
  EXPECT_TRUE(order.empty());
  advance(1s);
  EXPECT_EQ(order, std::vector{1});
}

TEST_F(hub_timers, are_disarmed_by_their_destructor) {
  std::vector<int> order;
  auto gone = std::make_unique<recording_timer>(order, 1);
  gone->arm_after(loop, 1s);
  gone.reset();
  advance(2s);
  EXPECT_TRUE(order.empty());
}

TEST_F(hub_timers, that_throw_are_reported) {
  class throwing final : public hub_timer {
    void expired() override { throw std::runtime_error("broken"); }
  };
  throwing timer;
  timer.arm_after(loop, 1s);
  advance(1s);
  expected_errors = {"a timer: broken"};
}

TEST_F(hub_timers, a_hundred_thousand_in_random_order_expire_sorted) {
  constexpr int count = 100'000;
  class checking final : public hub_timer {
   public:
    checking(const hub& on, steady_time& last, int& fired) : on_(on), last_(last), fired_(fired) {}
    steady_time when;

   private:
    void expired() override {
      EXPECT_LE(last_, when);
      EXPECT_LE(when, on_.now());
      last_ = when;
      ++fired_;
    }
    const hub& on_;
    steady_time& last_;
    int& fired_;
  };
  steady_time last = time.now();
  int fired = 0;
  std::vector<std::unique_ptr<checking>> all;
  unsigned random = 1;
  for (int i = 0; i < count; ++i) {
    random = random * 1664525U + 1013904223U;
    all.push_back(std::make_unique<checking>(loop, last, fired));
    all.back()->when = time_after(time.now(), std::chrono::microseconds(random >> 8U));
    all.back()->arm(loop, all.back()->when);
  }
  for (std::size_t i = 0; i < count; i += 2)
    all[i]->disarm();
  EXPECT_EQ(loop.armed_timers(), count / 2U);
  while (loop.armed_timers() > 0)
    advance(1s);
  EXPECT_EQ(fired, count / 2);
}

/// Counts, and arms itself again some time after when it was due; each time it runs takes some time.
class ticker final : public hub_timer {
 public:
  ticker(hub& on, manual_clock& time, steady_duration period, steady_duration work)
      : on_(on), time_(time), period_(period), work_(work), due_(on.now()) {
    arm(on, due_);
  }
  ~ticker() override = default;
  [[nodiscard]] int ticks() const noexcept { return ticks_; }

 private:
  void expired() override {
    ++ticks_;
    time_.advance(work_);
    arm(on_, due_ += period_);
  }
  hub& on_;
  manual_clock& time_;
  steady_duration period_;
  steady_duration work_;
  steady_time due_;
  int ticks_ = 0;
};

TEST_F(hub_timers, run_once_in_a_pass_if_they_are_armed_for_the_past) {
  const ticker late(loop, time, -1ms, 0ms);
  loop.poll();
  EXPECT_EQ(late.ticks(), 1);
  loop.poll();
  EXPECT_EQ(late.ticks(), 2);
}

TEST_F(hub_timers, are_not_held_up_by_one_that_is_armed_for_the_past_again_and_again) {
  std::vector<int> order;
  recording_timer other(order, 1);
  other.arm(loop, loop.now());
  const ticker late(loop, time, -1ms, 0ms);
  for (int i = 0; i < 3 && order.empty(); ++i)
    loop.poll();
  EXPECT_EQ(order, std::vector{1});
}

TEST_F(hub_timers, are_not_held_up_by_a_ticker_whose_work_takes_longer_than_its_period) {
  std::vector<int> order;
  const ticker slow(loop, time, 1ms, 3ms);
  recording_timer limit(order, 1);
  limit.arm_after(loop, 10ms);
  while (order.empty() && slow.ticks() < 100)
    loop.poll();
  EXPECT_EQ(order, std::vector{1});
  EXPECT_LE(slow.ticks(), 5) << "three of them make it due";
}

TEST(timers_of_a_small_batch, are_not_held_up_by_as_many_late_ones_as_a_pass_runs) {
  manual_clock time;
  hub loop(time, {.batch_max = 2});
  const ticker first(loop, time, -1ms, 1ms);
  const ticker second(loop, time, -1ms, 1ms);
  std::vector<int> order;
  recording_timer limit(order, 1);
  limit.arm_after(loop, 10ms);
  for (int i = 0; i < 20 && order.empty(); ++i)
    loop.poll();
  EXPECT_EQ(order, std::vector{1});
}

TEST_F(hub_timers, are_never_armed_for_the_end_of_time) {
  std::vector<int> order;
  recording_timer never(order, 1);
  never.arm_after(loop, 1s);
  never.arm(loop, steady_time::max());
  EXPECT_FALSE(never.armed());
  EXPECT_EQ(loop.join(), loop_end::finished);
}

TEST_F(hub_timers, wake_a_loop_that_sleeps) {
  // The one test with the machine's clock: the loop must not sleep beyond the timer.
  class stopping final : public hub_timer {
   public:
    explicit stopping(hub& on) : on_(on) {}

   private:
    void expired() override { on_.stop(); }
    hub& on_;
  };
  std::thread([] {
    const system_clock machine;
    hub other(machine);
    stopping timer(other);
    const steady_time start = machine.now();
    timer.arm_after(other, 2ms);
    other.run();
    EXPECT_GE(machine.now() - start, 2ms);
  }).join();
}

}  // namespace
}  // namespace grove
