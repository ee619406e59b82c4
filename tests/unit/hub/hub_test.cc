// SPDX-License-Identifier: Apache-2.0
#include "worker/hub/hub.h"

#include <gtest/gtest.h>

#include <asio/post.hpp>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/hub_fixture.h"
#include "worker/hub/callback_timer.h"
#include "worker/tasks/event.h"
#include "worker/tasks/task.h"

namespace grove {
namespace {

using namespace std::chrono_literals;
using hub_loop = hub_fixture;

TEST_F(hub_loop, is_the_hub_of_its_thread) {
  EXPECT_EQ(&hub::current(), &loop);
  EXPECT_THROW(hub second(time), greenlet_error);
  std::thread([] { EXPECT_THROW((void)hub::current(), greenlet_error); }).join();
}

TEST_F(hub_loop, runs_callbacks_in_the_order_of_posting) {
  std::string order;
  loop.post([&] {
    order += "a";
    loop.post([&] { order += "c"; });
  });
  loop.post([&] { order += "b"; });
  loop.run_ready();
  EXPECT_EQ(order, "abc");
}

TEST_F(hub_loop, reports_an_error_in_a_callback_and_goes_on) {
  bool ran = false;
  loop.post([] { throw std::runtime_error("broken"); });
  loop.post([] { throw 1; });
  loop.post([&] { ran = true; });
  loop.run_ready();
  EXPECT_TRUE(ran);
  expected_errors = {"a greenlet or callback run by the hub: broken", "a greenlet or callback run by the hub: unknown"};
}

TEST_F(hub_loop, reports_an_error_in_a_completion_handler_and_goes_on) {
  bool ran = false;
  asio::post(loop.io(), [] { throw std::runtime_error("broken"); });
  asio::post(loop.io(), [&] { ran = true; });
  loop.run_ready();
  EXPECT_TRUE(ran);
  expected_errors = {"a completion handler: broken"};
}

TEST_F(hub_loop, is_not_starved_by_completion_handlers_that_make_new_ones) {
  bool expired = false;
  callback_timer timer([&] { expired = true; });
  timer.arm_after(loop, 0ms);
  bool stop = false;
  std::function<void()> again = [&] {
    if (!stop) asio::post(loop.io(), again);
  };
  again();
  for (int pass = 0; pass < 3; ++pass)
    loop.poll();
  EXPECT_TRUE(expired) << "a pass ends although there is always another handler";
  stop = true;
  loop.run_ready();
}

TEST_F(hub_loop, refuses_to_block_in_its_own_context) {
  event never(loop);
  EXPECT_THROW(never.wait(), blocking_in_hub);
  EXPECT_THROW(sleep_for(1s), blocking_in_hub);
  EXPECT_THROW(yield(), blocking_in_hub);
  loop.post([&] { never.wait(); });
  loop.run_ready();
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_NE(errors[0].find("hub's own context"), std::string::npos);
  expected_errors = errors;
}

TEST_F(hub_loop, is_run_by_the_greenlet_that_made_it_only) {
  greenlet_ptr other = greenlet::make([&] { loop.poll(); });
  EXPECT_THROW(other->resume(), greenlet_error);
}

TEST_F(hub_loop, looks_at_io_while_callbacks_never_end) {
  bool done = false;
  unique_function<void()> again = [&] {
    if (!done) loop.post([&] { again(); });
  };
  again();
  asio::post(loop.io(), [&] {
    done = true;
    loop.stop();
  });
  loop.run();
  EXPECT_TRUE(done);
  loop.run_ready();  // the last one, which posts no more
}

TEST_F(hub_loop, runs_a_bounded_batch_a_pass) {
  std::size_t ran = 0;
  for (int i = 0; i < 3000; ++i)
    loop.post([&] { ++ran; });
  loop.poll();
  EXPECT_EQ(ran, 1024U);
  loop.run_ready();
  EXPECT_EQ(ran, 3000U);
}

TEST_F(hub_loop, yield_is_round_robin) {
  std::string order;
  const auto body = [&](const char* name) {
    return [&order, name] {
      order += std::string(name) + "1";
      yield();
      order += std::string(name) + "2";
    };
  };
  spawn(body("A"));
  spawn(body("B"));
  loop.run_ready();
  EXPECT_EQ(order, "A1B1A2B2");
}

TEST_F(hub_loop, sleep_lasts_as_long_as_it_should) {
  bool awake = false;
  spawn([&] {
    sleep_for(10s);
    awake = true;
  });
  loop.run_ready();
  advance(9999ms);
  EXPECT_FALSE(awake);
  advance(1ms);
  EXPECT_TRUE(awake);
}

TEST_F(hub_loop, is_woken_by_another_thread) {
  std::vector<int> got;
  std::thread other([&] {
    for (int i = 0; i < 1000; ++i)
      loop.post_from_thread([&got, i] { got.push_back(i); });
    loop.post_from_thread([this] { loop.stop(); });
  });
  loop.run();
  other.join();
  ASSERT_EQ(got.size(), 1000U);
  EXPECT_EQ(got.front(), 0);
  EXPECT_EQ(got.back(), 999);
}

TEST_F(hub_loop, misses_no_wake_up_between_two_threads) {
  constexpr int rounds = 2000;
  std::atomic<int> seen = 0;
  std::thread other([&] {
    for (int i = 0; i < rounds; ++i) {
      loop.post_from_thread([&] { seen.store(seen.load() + 1, std::memory_order_release); });
      while (seen.load(std::memory_order_acquire) <= i)
        std::this_thread::yield();
    }
    loop.stop();
  });
  loop.run();
  other.join();
  EXPECT_EQ(seen.load(), rounds);
}

TEST_F(hub_loop, reports_an_error_of_a_raw_greenlet_and_goes_on) {
  event go(loop);
  greenlet_ptr raw = greenlet::make([&] {
    go.wait();
    throw std::runtime_error("raw");
  });
  raw->resume();
  go.set();
  loop.run_ready();
  EXPECT_TRUE(raw->dead());
  expected_errors = {"a greenlet or callback run by the hub: raw"};
}

TEST(hub_end, unwinds_the_greenlets_that_are_left) {
  manual_clock time;
  int unwound = 0;
  struct count_at_end {
    int& count;
    ~count_at_end() { ++count; }
  };
  {
    hub loop(time);
    event never(loop);
    for (int i = 0; i < 10; ++i) {
      spawn([&] {
        const count_at_end guard{unwound};
        never.wait();
      });
    }
    spawn([&] {
      const count_at_end guard{unwound};
      sleep_for(1h);
    });
    loop.run_ready();
    bool ran = false;
    spawn([&] { ran = true; });
    spawn_later(1s, [&] { ran = true; });
    EXPECT_EQ(loop.live_tasks(), 13U);
    EXPECT_FALSE(ran);
  }
  EXPECT_EQ(unwound, 11);
  EXPECT_EQ(hub::current_or_null(), nullptr);
}

TEST(hub_end, lets_greenlets_wait_while_they_clean_up) {
  manual_clock time;
  bool cleaned = false;
  {
    hub loop(time);
    spawn([&] {
      try {
        sleep_for(1h);
      } catch (const greenlet_exit&) {
        yield();
        cleaned = true;
        throw;
      }
    });
    loop.run_ready();
  }
  EXPECT_TRUE(cleaned);
}

TEST(hub_end, throws_again_into_greenlets_that_swallow_the_kill) {
  manual_clock time;
  int swallowed = 0;
  {
    hub loop(time);
    spawn([&] {
      while (swallowed < 3) {
        try {
          sleep_for(1h);
        } catch (...) {
          ++swallowed;
        }
      }
    });
    loop.run_ready();
  }
  EXPECT_EQ(swallowed, 3);
}

TEST(hub_end, destroys_its_services_after_its_greenlets_last_made_first) {
  static std::string order;
  order.clear();
  struct first final : hub_service {
    explicit first(hub&) { order += "+1"; }
    ~first() override { order += "-1"; }
  };
  struct second final : hub_service {
    explicit second(hub&) { order += "+2"; }
    ~second() override { order += "-2"; }
  };
  manual_clock time;
  {
    hub loop(time);
    spawn([] {
      struct at_end {
        ~at_end() { order += "g"; }
      } guard;
      sleep_for(1h);
    });
    loop.run_ready();
    loop.service<first>();
    EXPECT_EQ(&loop.service<second>(), &loop.service<second>());
    EXPECT_EQ(&loop.service<first>(), &loop.service<first>());
  }
  EXPECT_EQ(order, "+1+2g-2-1");
}

TEST(hub_end, a_thread_may_have_one_hub_after_another) {
  manual_clock time;
  for (int i = 0; i < 3; ++i) {
    hub loop(time);
    bool ran = false;
    spawn([&] { ran = true; });
    loop.run_ready();
    EXPECT_TRUE(ran);
  }
}

}  // namespace
}  // namespace grove
