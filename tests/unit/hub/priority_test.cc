// SPDX-License-Identifier: Apache-2.0
// Priorities, the bounds of a batch, idle(), and what becomes of errors by their kind.
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/hub_fixture.h"
#include "worker/hub/callback_timer.h"
#include "worker/tasks/event.h"
#include "worker/tasks/task.h"
#include "worker/tasks/thrown_is.h"

namespace grove {
namespace {

using namespace std::chrono_literals;
using hub_order = hub_fixture;

TEST_F(hub_order, is_by_priority_and_within_one_by_posting) {
  std::string order;
  const auto post = [&](char name, hub_priority priority) { loop.post([&order, name] { order += name; }, priority); };
  post('e', hub_priority::low);
  post('c', hub_priority::normal);
  post('f', hub_priority::low);
  post('a', hub_priority::high);
  post('d', hub_priority::normal);
  post('b', hub_priority::high);
  EXPECT_EQ(loop.ready_count(), 6U);
  loop.poll();
  EXPECT_EQ(order, "abcdef");
}

TEST_F(hub_order, lets_no_priority_starve_another) {
  bool stop = false;
  int low = 0;
  unique_function<void()> again = [&] {
    if (!stop) loop.post([&] { again(); }, hub_priority::high);
  };
  for (int i = 0; i < 2000; ++i)
    again();
  loop.post([&] { ++low; });
  loop.post([&] { ++low; }, hub_priority::low);
  loop.poll();
  EXPECT_EQ(low, 2) << "more is always ready with a high priority, and yet the others run in the same pass";
  stop = true;
  loop.run_ready();
}

TEST_F(hub_order, has_a_yield_of_low_priority_wait_for_the_rest_of_the_pass_and_others_for_the_next) {
  std::string order;
  for (const auto& [name, priority] :
       {std::pair{'c', hub_priority::low}, std::pair{'b', hub_priority::normal}, std::pair{'a', hub_priority::high}}) {
    spawn([&order, name = name, priority = priority] {
      yield(priority);
      order += name;
    });
  }
  loop.run_ready();
  EXPECT_EQ(order, "cab");
}

TEST_F(hub_order, takes_an_item_back_whatever_its_priority) {
  class never final : public ready_item {
    void run() override { FAIL(); }
  };
  never item;
  for (const hub_priority priority : {hub_priority::high, hub_priority::normal, hub_priority::low}) {
    loop.post(item, priority);
    loop.unpost(item, priority);
  }
  EXPECT_EQ(loop.ready_count(), 0U);
  loop.run_ready();
}

class hub_batch : public hub_fixture, public testing::WithParamInterface<hub_priority> {};

TEST_P(hub_batch, ends_in_time) {
  int ran = 0;
  for (int i = 0; i < 100; ++i) {
    loop.post(
        [&] {
          ++ran;
          time.advance(1ms);
        },
        GetParam());
  }
  bool io = false;
  loop.post_from_thread([&] { io = true; });
  loop.poll();
  EXPECT_EQ(ran, 32) << "the clock is looked at after so many; 32 ms are more than the 5 that a batch may take";
  EXPECT_TRUE(io);
  loop.run_ready();
  EXPECT_EQ(ran, 100);
}
INSTANTIATE_TEST_SUITE_P(of, hub_batch, testing::Values(hub_priority::high, hub_priority::normal, hub_priority::low));

TEST_F(hub_order, bounds_calls_from_threads_and_timers_as_well) {
  int calls = 0;
  for (int i = 0; i < 3000; ++i)
    loop.post_from_thread([&] { ++calls; });
  loop.poll();
  EXPECT_EQ(calls, 1024);
  int fired = 0;
  std::vector<std::unique_ptr<callback_timer>> timers;
  for (int i = 0; i < 40; ++i) {
    timers.push_back(std::make_unique<callback_timer>([&] {
      ++fired;
      time.advance(1ms);
    }));
    timers.back()->arm_after(loop, 0ms);
  }
  loop.poll();
  EXPECT_EQ(calls, 2048);
  EXPECT_EQ(fired, 32);
  loop.run_ready();
  EXPECT_EQ(calls, 3000);
  EXPECT_EQ(fired, 40);
}

TEST_F(hub_order, destroys_calls_from_threads_that_have_not_run) {
  auto kept = std::make_shared<int>(1);
  std::thread([&] {
    hub other(time);
    other.post_from_thread([kept] {});
  }).join();
  EXPECT_EQ(kept.use_count(), 1);
}

TEST_F(hub_order, has_idle_return_when_nothing_else_is_done) {
  std::string order;
  int rounds = 3;
  spawn([&] {
    idle();
    order += "idle";
  });
  spawn([&] {
    while (--rounds >= 0) {
      order += "w";
      yield(hub_priority::low);
    }
  });
  loop.run_ready();
  EXPECT_EQ(order, "wwwidle");
}

TEST_F(hub_order, has_idle_of_a_priority_wait_for_that_and_higher_ones_only) {
  bool stop = false;
  unique_function<void()> again = [&] {
    if (!stop) loop.post([&] { again(); });
  };
  again();
  std::string order;
  for (const auto& [name, quiet] :
       {std::pair{'l', hub_priority::low}, std::pair{'n', hub_priority::normal}, std::pair{'h', hub_priority::high}}) {
    spawn([&order, name = name, quiet = quiet] {
      idle(quiet);
      order += name;
    });
  }
  for (int pass = 0; pass < 5; ++pass)
    loop.poll();
  EXPECT_EQ(order, "h") << "normal items run all the time";
  stop = true;
  loop.run_ready();
  EXPECT_EQ(order, "hnl");
}

TEST_F(hub_order, lets_idle_be_killed) {
  auto waiting = spawn([] { idle(); });
  loop.post([&] { waiting->kill(kill_mode::do_not_wait); });
  loop.poll();
  loop.run_ready();
  EXPECT_TRUE(waiting->exited());
}

struct interrupted {};
struct unimportant {};

class hub_errors : public hub_fixture {
 protected:
  hub_errors() {
    loop.set_error_classifier([](const std::exception_ptr& error) {
      return thrown_is<interrupted>(error)   ? error_kind::system
             : thrown_is<unimportant>(error) ? error_kind::ignored
                                             : error_kind::ordinary;
    });
  }
};

TEST_F(hub_errors, come_out_of_run_if_they_are_system_errors) {
  bool later = false;
  loop.post([] { throw interrupted(); });
  loop.post([&] { later = true; });
  EXPECT_THROW(loop.run(), interrupted);
  EXPECT_TRUE(later) << "the pass is finished";
  loop.post([&] { loop.stop(); });
  loop.run();
}

TEST_F(hub_errors, come_out_of_poll_too_and_also_from_a_task_that_is_observed) {
  auto failing = spawn([] { throw interrupted(); });
  failing->link([](task_base&) {});
  EXPECT_THROW(loop.run_ready(), interrupted);
  EXPECT_FALSE(failing->successful());
  callback_timer timer([] { throw interrupted(); });
  timer.arm_after(loop, 0ms);
  EXPECT_THROW(loop.run_ready(), interrupted);
}

TEST_F(hub_errors, are_not_reported_if_they_are_ignored) {
  loop.post([] { throw unimportant(); });
  loop.post([] { throw std::runtime_error("reported"); });
  loop.run_ready();
  expected_errors = {"a greenlet or callback run by the hub: reported"};
}

TEST_F(hub_order, goes_on_after_an_error_in_the_error_handler) {
  loop.set_error_handler(
      [](std::string_view, const std::exception_ptr&) { throw std::runtime_error("in the handler"); });
  bool ran = false;
  testing::internal::CaptureStderr();
  loop.post([] { throw std::runtime_error("first"); });
  loop.post([&] { ran = true; });
  loop.run_ready();
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(ran);
  EXPECT_NE(text.find("in the handler"), std::string::npos) << text;
  EXPECT_NE(text.find("first"), std::string::npos) << "what was to be reported is not lost: " << text;
}

}  // namespace
}  // namespace grove
