// SPDX-License-Identifier: Apache-2.0
#include "worker/hub/waiter.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "tests/support/hub_fixture.h"
#include "worker/tasks/task.h"

namespace grove {
namespace {

using namespace std::chrono_literals;
using waiting = hub_fixture;

TEST_F(waiting, ends_with_a_wake) {
  waiter* inside = nullptr;
  bool done = false;
  spawn([&] {
    waiter w(loop);
    inside = &w;
    w.wait();
    done = true;
  });
  loop.run_ready();
  EXPECT_FALSE(done);
  EXPECT_EQ(loop.waiting(), 1U);
  inside->wake();
  inside->wake();
  EXPECT_FALSE(done);
  loop.run_ready();
  EXPECT_TRUE(done);
}

TEST_F(waiting, returns_at_once_after_a_wake_and_consumes_it) {
  int waits = 0;
  spawn([&] {
    waiter w(loop);
    w.wake();
    w.wait();
    ++waits;
    EXPECT_FALSE(w.wait_until(time_after(loop.now(), 1s)));
    ++waits;
  });
  loop.poll();
  EXPECT_EQ(waits, 1);
  advance(1s);
  EXPECT_EQ(waits, 2);
}

TEST_F(waiting, until_a_time_that_has_passed_times_out_at_once) {
  auto done = spawn([&] {
    waiter w(loop);
    return w.wait_until(loop.now());
  });
  loop.poll();
  loop.poll();
  EXPECT_TRUE(done->ready());
  EXPECT_FALSE(done->get());
}

TEST_F(waiting, that_is_woken_disarms_its_timer) {
  waiter* inside = nullptr;
  auto done = spawn([&] {
    waiter w(loop);
    inside = &w;
    return w.wait_until(time_after(loop.now(), 1s));
  });
  loop.run_ready();
  EXPECT_EQ(loop.armed_timers(), 1U);
  inside->wake();
  EXPECT_EQ(loop.armed_timers(), 0U);
  loop.run_ready();
  EXPECT_TRUE(done->get());
}

TEST_F(waiting, throws_what_interrupts_it) {
  greenlet* who = nullptr;
  std::string seen;
  spawn([&] {
    who = &greenlet::current();
    waiter w(loop);
    try {
      w.wait();
    } catch (const std::runtime_error& error) {
      seen = error.what();
    }
  });
  loop.run_ready();
  EXPECT_TRUE(loop.interrupt(*who, std::make_exception_ptr(std::runtime_error("first"))));
  EXPECT_FALSE(loop.interrupt(*who, std::make_exception_ptr(std::runtime_error("second"))));
  EXPECT_TRUE(seen.empty());
  loop.run_ready();
  EXPECT_EQ(seen, "first");
}

TEST_F(waiting, throws_what_was_delivered_before_it) {
  int deliveries = 0;
  spawn([&] {
    greenlet& self = greenlet::current();
    loop.interrupt(self, std::make_exception_ptr(1));
    EXPECT_THROW(yield(), int);
    ++deliveries;
    loop.interrupt(self, std::make_exception_ptr(1));
    EXPECT_THROW(sleep_for(1h), int);
    ++deliveries;
    yield();
  });
  loop.run_ready();
  EXPECT_EQ(deliveries, 2);
}

TEST_F(waiting, that_was_woken_first_completes_and_the_next_one_throws) {
  waiter* inside = nullptr;
  greenlet* who = nullptr;
  std::string order;
  spawn([&] {
    who = &greenlet::current();
    waiter w(loop);
    inside = &w;
    w.wait();
    order += "woken ";
    EXPECT_THROW(w.wait(), int);
    order += "thrown";
  });
  loop.run_ready();
  inside->wake();
  EXPECT_TRUE(loop.interrupt(*who, std::make_exception_ptr(1)));
  loop.run_ready();
  EXPECT_EQ(order, "woken thrown");
}

TEST_F(waiting, may_take_a_delivery_back_by_its_source) {
  int source = 0;
  int other = 0;
  auto done = spawn([&] {
    greenlet& self = greenlet::current();
    loop.interrupt(self, std::make_exception_ptr(1), &source);
    EXPECT_FALSE(loop.cancel_interrupt(self, &other));
    EXPECT_TRUE(loop.interrupt_pending(self));
    EXPECT_TRUE(loop.cancel_interrupt(self, &source));
    EXPECT_FALSE(loop.cancel_interrupt(self));
    yield();
    return 1;
  });
  loop.run_ready();
  EXPECT_EQ(done->get(), 1);
}

TEST_F(waiting, throws_a_delivery_that_has_ended_it_even_if_it_is_taken_back) {
  auto done = spawn([&] { EXPECT_THROW(sleep_for(1h), int); });
  loop.run_ready();
  loop.interrupt(*done->running_greenlet(), std::make_exception_ptr(1));
  EXPECT_FALSE(loop.cancel_interrupt(*done->running_greenlet()));
  loop.run_ready();
  EXPECT_TRUE(done->ready());
}

TEST_F(waiting, uninterrupted_keeps_deliveries_for_the_next_wait) {
  waiter* inside = nullptr;
  std::string order;
  auto task = spawn([&] {
    waiter w(loop);
    inside = &w;
    w.wait_uninterrupted();
    order += "completed ";
    EXPECT_THROW(yield(), int);
    order += "thrown";
  });
  loop.run_ready();
  loop.interrupt(*task->running_greenlet(), std::make_exception_ptr(1));
  loop.run_ready();
  EXPECT_EQ(order, "");
  inside->wake();
  loop.run_ready();
  EXPECT_EQ(order, "completed thrown");
}

TEST_F(waiting, may_be_left_by_a_drop) {
  waiter_list list;
  greenlet_ptr raw = greenlet::make([&] {
    waiter w(loop);
    list.push(w);
    (void)w.wait_until(time_after(loop.now(), 1h));
  });
  raw->resume();
  EXPECT_EQ(loop.waiting(), 1U);
  EXPECT_FALSE(list.empty());
  raw.reset();
  EXPECT_TRUE(list.empty());
}

TEST_F(waiting, may_be_left_by_a_drop_after_its_wake) {
  waiter* inside = nullptr;
  greenlet_ptr raw = greenlet::make([&] {
    waiter w(loop);
    inside = &w;
    w.wait();
  });
  raw->resume();
  inside->wake();
  EXPECT_EQ(loop.ready_count(), 1U);
  raw.reset();
  EXPECT_EQ(loop.ready_count(), 0U);
}

TEST_F(waiting, in_a_greenlet_that_swallows_a_drop_throws_again) {
  set_unraisable_hook([](const greenlet&, std::string_view) {});
  int caught = 0;
  greenlet_ptr raw = greenlet::make([&] {
    try {
      sleep_for(1h);
    } catch (...) {
      ++caught;
    }
    try {
      sleep_for(1h);
    } catch (...) {
      ++caught;
      throw;
    }
  });
  raw->resume();
  raw.reset();
  EXPECT_EQ(caught, 2);
  set_unraisable_hook(nullptr);
}

TEST_F(waiting, resumed_by_another_than_the_hub_is_an_error) {
  auto task = spawn([&] { EXPECT_THROW(sleep_for(1h), greenlet_error); });
  loop.run_ready();
  task->running_greenlet()->resume();
  EXPECT_TRUE(task->ready());
}

}  // namespace
}  // namespace grove
