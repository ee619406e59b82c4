// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/hub_fixture.h"
#include "worker/hub/callback_timer.h"
#include "worker/tasks/async_result.h"
#include "worker/tasks/event.h"
#include "worker/tasks/semaphore.h"
#include "worker/tasks/task.h"
#include "worker/tasks/timeout.h"

namespace grove {
namespace {

using namespace std::chrono_literals;
using events = hub_fixture;
using async_results = hub_fixture;
using semaphores = hub_fixture;
using locks = hub_fixture;

TEST_F(events, wake_all_that_wait_even_if_cleared_at_once) {
  for (int count : {1, 100, 1000}) {
    event flag(loop);
    int woken = 0;
    for (int i = 0; i < count; ++i) {
      spawn([&] {
        flag.wait();
        ++woken;
      });
    }
    loop.run_ready();
    flag.set();
    flag.clear();
    loop.run_ready();
    EXPECT_EQ(woken, count);
    EXPECT_FALSE(flag.is_set());
  }
}

TEST_F(events, wait_again_after_a_clear_while_they_wake) {
  event flag(loop);
  int rounds = 0;
  auto task = spawn([&] {
    for (; rounds < 2; ++rounds)
      flag.wait();
  });
  spawn([&] { flag.wait(); });
  loop.run_ready();
  flag.set();
  flag.clear();
  loop.run_ready();
  EXPECT_EQ(rounds, 1);
  flag.set();
  loop.run_ready();
  EXPECT_TRUE(task->ready());
}

TEST_F(events, that_are_set_do_not_wait) {
  event flag(loop);
  flag.set();
  flag.wait();  // even in the hub
  EXPECT_TRUE(flag.wait_until(loop.now()));
}

TEST_F(events, time_out) {
  event flag(loop);
  auto task = spawn([&] { return flag.wait_until(time_after(loop.now(), 1s)); });
  loop.run_ready();
  advance(1s);
  EXPECT_FALSE(task->get());
}

TEST_F(async_results, give_the_value_to_all) {
  async_result<int> result(loop);
  int sum = 0;
  for (int i = 0; i < 3; ++i)
    spawn([&] { sum += result.get(); });
  loop.run_ready();
  EXPECT_EQ(sum, 0);
  result.set(5);
  loop.run_ready();
  EXPECT_EQ(sum, 15);
  result.set(6);
  EXPECT_EQ(result.get(), 6);
}

TEST_F(async_results, throw_the_exception_from_get_and_not_from_wait) {
  async_result<int> result(loop);
  result.set_exception(std::make_exception_ptr(std::runtime_error("failed")));
  EXPECT_THROW(result.get(), std::runtime_error);
  EXPECT_EQ(result.wait(), nullptr);
  EXPECT_FALSE(result.successful());
}

TEST_F(async_results, time_out) {
  async_result<int> result(loop);
  auto task = spawn([&] { return result.get_until(time_after(loop.now(), 1s)) == nullptr; });
  loop.run_ready();
  advance(1s);
  EXPECT_TRUE(task->get());
}

TEST_F(async_results, may_be_cancelled_until_they_are_set) {
  async_result<int> result(loop);
  auto waiting = spawn([&] { EXPECT_THROW(result.get(), result_cancelled); });
  loop.run_ready();
  EXPECT_TRUE(result.cancel());
  EXPECT_FALSE(result.cancel());
  loop.run_ready();
  EXPECT_TRUE(waiting->ready());
  EXPECT_NE(result.exception(), nullptr);
  result.set(1);  // the last one wins
  EXPECT_FALSE(result.cancel());
  EXPECT_EQ(result.get(), 1);
  EXPECT_EQ(result.exception(), nullptr);
}

TEST_F(async_results, may_have_no_value) {
  async_result<void> done(loop);
  EXPECT_EQ(done.get_until(loop.now()), nullptr);
  EXPECT_EQ(done.wait(loop.now()), nullptr);
  done.set();
  done.get();
  EXPECT_NE(done.wait(), nullptr);
}

TEST_F(async_results, are_set_from_other_threads) {
  async_result<std::string> text(loop);
  async_result<void> failed(loop);
  auto waiting = spawn([&] {
    const std::string got = text.get();
    EXPECT_THROW(failed.get(), std::runtime_error);
    loop.stop();
    return got;
  });
  std::thread other([&] {
    text.set_from_thread("from afar");
    failed.set_exception_from_thread(std::make_exception_ptr(std::runtime_error("failed")));
  });
  loop.run();
  other.join();
  EXPECT_EQ(waiting->get(), "from afar");
}

TEST_F(semaphores, hand_the_permit_to_the_first_waiter_and_not_to_the_releaser) {
  semaphore one(loop, 1);
  std::string order;
  const auto body = [&](const char* name) {
    return [&order, &one, name] {
      for (int i = 0; i < 3; ++i) {
        one.acquire();
        order += name;
        yield();
        one.release();
      }
    };
  };
  spawn(body("a"));
  spawn(body("b"));
  loop.run_ready();
  EXPECT_EQ(order, "ababab");
  EXPECT_EQ(one.permits(), 1U);
}

TEST_F(semaphores, do_not_lose_a_permit_when_a_waiter_is_killed) {
  semaphore one(loop, 0);
  std::vector<spawned<void>> all;
  int got = 0;
  for (int i = 0; i < 3; ++i) {
    all.push_back(spawn([&] {
      one.acquire();
      ++got;
    }));
  }
  loop.run_ready();
  one.release();  // handed to the first one, which is killed before it runs
  all[0]->kill(kill_mode::do_not_wait);
  all[1]->kill(kill_mode::do_not_wait);
  loop.run_ready();
  EXPECT_EQ(got, 1);
  EXPECT_TRUE(all[1]->exited());
  one.release();
  loop.run_ready();
  EXPECT_EQ(got, 2);
}

TEST_F(semaphores, do_not_lose_a_permit_when_a_waiter_is_dropped) {
  semaphore one(loop, 0);
  greenlet_ptr raw = greenlet::make([&] { one.acquire(); });
  raw->resume();
  one.release();
  raw.reset();
  EXPECT_TRUE(one.try_acquire());
}

TEST_F(semaphores, time_out_without_a_permit) {
  semaphore none(loop, 0);
  auto task = spawn([&] { return none.acquire_until(time_after(loop.now(), 1s)); });
  loop.run_ready();
  advance(1s);
  EXPECT_FALSE(task->get());
  EXPECT_FALSE(none.has_waiters());
}

TEST_F(semaphores, that_are_bounded_refuse_what_nobody_has) {
  bounded_semaphore two(loop, 2);
  EXPECT_THROW(two.release(), synchronisation_error);
  two.acquire();
  {
    const std::lock_guard hold(two);
    EXPECT_FALSE(two.try_acquire());
    EXPECT_FALSE(two.acquire_until(loop.now()));
    auto waiting = spawn([&] { two.acquire(); });
    loop.run_ready();
    EXPECT_TRUE(two.has_waiters());
    two.release();  // handed over: as much out as before
    loop.run_ready();
    EXPECT_TRUE(waiting->ready());
  }
  two.release();
  EXPECT_EQ(two.permits(), 2U);
  EXPECT_THROW(two.release(), synchronisation_error);
  EXPECT_EQ(two.permits(), 2U);
}

TEST_F(semaphores, without_a_limit_never_wait) {
  unlimited_semaphore any;
  const std::lock_guard first(any);
  const std::lock_guard second(any);
  EXPECT_TRUE(any.try_lock_until(loop.now()));
}

/// Both orders in which a permit and something that ends the wait can meet in one pass.
TEST_F(semaphores, neither_lose_nor_double_a_permit_that_meets_a_kill_or_a_timeout) {
  enum class end_of_wait { kill, own_time, timeout };
  for (end_of_wait by : {end_of_wait::kill, end_of_wait::own_time, end_of_wait::timeout}) {
    for (bool permit_first : {true, false}) {
      semaphore one(loop, 0);
      bool acquired = false;
      auto waiting = spawn([&] {
        const timeout limit(loop, by == end_of_wait::timeout ? std::optional<steady_duration>(1s) : std::nullopt);
        try {
          acquired = one.acquire_until(time_after(loop.now(), (by == end_of_wait::own_time ? 1s : 1h)));
        } catch (const timeout_expired&) {
        }
      });
      loop.run_ready();
      // The timer of the release is armed before or after that of the wait, so that it expires before or after it.
      callback_timer release([&] { one.release(); });
      const auto end_wait = [&] {
        if (by == end_of_wait::kill) waiting->kill(kill_mode::do_not_wait);
      };
      time.advance(1s);
      if (permit_first) {
        one.release();
        end_wait();
      } else {
        end_wait();
        release.arm(loop, loop.now());
      }
      loop.run_ready();
      EXPECT_TRUE(waiting->ready());
      EXPECT_EQ(acquired, permit_first);
      EXPECT_EQ(one.permits(), permit_first ? 0U : 1U);
      EXPECT_FALSE(one.has_waiters());
    }
  }
}

TEST_F(locks, nest_in_their_owner_and_hand_over_at_the_last_release) {
  rlock lock(loop);
  std::string order;
  const auto body = [&](const char* name) {
    return [&order, &lock, name] {
      const std::lock_guard outer(lock);
      yield();
      const std::lock_guard inner(lock);
      EXPECT_EQ(lock.depth(), 2U);
      order += name;
      yield();
      order += name;
    };
  };
  spawn(body("a"));
  spawn(body("b"));
  loop.run_ready();
  EXPECT_EQ(order, "aabb");
  EXPECT_FALSE(lock.locked());
}

TEST_F(locks, are_released_by_their_owner_only) {
  rlock lock(loop);
  EXPECT_THROW(lock.release(), synchronisation_error);
  lock.acquire();
  EXPECT_TRUE(lock.try_acquire());
  auto other = spawn([&] {
    EXPECT_FALSE(lock.owned());
    EXPECT_THROW(lock.release(), synchronisation_error);
    EXPECT_FALSE(lock.try_acquire());
    EXPECT_FALSE(lock.acquire_until(time_after(loop.now(), 1s)));
    const std::unique_lock late(lock, std::chrono::seconds(1));
    return late.owns_lock();
  });
  loop.run_ready();
  advance(1s);
  EXPECT_TRUE(lock.owned());
  lock.release();
  lock.release();
  EXPECT_FALSE(lock.try_acquire()) << "it belongs to the one that waits";
  EXPECT_TRUE(lock.locked());
  loop.run_ready();
  EXPECT_TRUE(other->get());
  EXPECT_FALSE(lock.locked());
}

TEST_F(locks, are_free_again_when_their_owner_or_a_waiter_is_killed) {
  rlock lock(loop);
  const auto body = [&] {
    const std::lock_guard hold(lock);
    sleep_for(1h);
  };
  auto owner = spawn(body);
  auto next = spawn(body);
  loop.run_ready();
  next->kill(kill_mode::do_not_wait);
  owner->kill(kill_mode::do_not_wait);
  loop.run_ready();
  EXPECT_FALSE(lock.locked());
  EXPECT_TRUE(lock.try_acquire());
  lock.release();
}

}  // namespace
}  // namespace grove
