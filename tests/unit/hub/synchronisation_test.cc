// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "tests/unit/hub/hub_fixture.h"
#include "worker/hub/async_result.h"
#include "worker/hub/event.h"
#include "worker/hub/semaphore.h"
#include "worker/hub/task.h"

namespace grove {
namespace {

using namespace std::chrono_literals;
using events = hub_fixture;
using async_results = hub_fixture;
using semaphores = hub_fixture;

TEST_F(events, wake_all_that_wait_even_if_cleared_at_once) {
  event flag(loop);
  int woken = 0;
  for (int i = 0; i < 100; ++i) {
    spawn([&] {
      flag.wait();
      ++woken;
    });
  }
  loop.run_ready();
  flag.set();
  flag.clear();
  loop.run_ready();
  EXPECT_EQ(woken, 100);
  EXPECT_FALSE(flag.is_set());
}

TEST_F(events, that_are_set_do_not_wait) {
  event flag(loop);
  flag.set();
  flag.wait();  // even in the hub
  EXPECT_TRUE(flag.wait_until(loop.now()));
}

TEST_F(events, time_out) {
  event flag(loop);
  auto task = spawn([&] { return flag.wait_until(loop.now() + 1s); });
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
  auto task = spawn([&] { return result.get_until(loop.now() + 1s) == nullptr; });
  loop.run_ready();
  advance(1s);
  EXPECT_TRUE(task->get());
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
  auto task = spawn([&] { return none.acquire_until(loop.now() + 1s); });
  loop.run_ready();
  advance(1s);
  EXPECT_FALSE(task->get());
  EXPECT_FALSE(none.has_waiters());
}

}  // namespace
}  // namespace grove
