// SPDX-License-Identifier: Apache-2.0

// Time-outs inside the function of a generator: they limit what this function waits for, wherever it goes on.

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "tests/support/hub_fixture.h"
#include "worker/greenlet/big_stack.h"
#include "worker/greenlet/generator.h"
#include "worker/hub/uninterrupted.h"
#include "worker/tasks/event.h"
#include "worker/tasks/task.h"
#include "worker/tasks/timeout.h"

namespace grove {
namespace {

using namespace std::chrono_literals;
using flow_timeouts = hub_fixture;

/// A generator whose function has a time limit over its values, and waits between them.
generator<int> limited(steady_duration limit, steady_duration pause) {
  return generator<int>([limit, pause](genlet<int>& values) {
    timeout all(limit);
    try {
      for (int i = 1;; ++i) {
        values.yield(int{i});
        sleep_for(pause);
      }
    } catch (const timeout_expired& thrown) {
      EXPECT_TRUE(all.owns(thrown));
      values.yield(-1);
    }
  });
}

TEST_F(flow_timeouts, live_across_a_value_while_those_of_the_reader_end) {
  auto reader = spawn([] {
    generator<int> values = limited(1h, 1s);
    auto outer = std::make_optional<timeout>(1min);
    auto at = values.begin();
    outer.reset();
    const timeout next(1min);
    ++at;
    return *at;
  });
  loop.run_ready();
  advance(1s);
  EXPECT_EQ(reader->get(), 2);
}

TEST_F(flow_timeouts, do_not_limit_the_reader_and_fire_when_the_function_waits_again) {
  std::vector<int> read;
  auto reader = spawn([&] {
    generator<int> values = limited(2s, 1s);
    auto at = values.begin();
    read.push_back(*at);
    sleep_for(10s);
    ++at;
    read.push_back(*at);
  });
  loop.run_ready();
  advance(10s);
  EXPECT_EQ(read, (std::vector{1, -1}));
  EXPECT_TRUE(reader->successful());
}

TEST_F(flow_timeouts, go_along_when_the_generator_is_handed_on) {
  std::unique_ptr<generator<int>> values;
  spawn([&] {
    values = std::make_unique<generator<int>>(limited(2s, 1h));
    (void)values->begin();
  });
  loop.run_ready();
  auto second = spawn([&] {
    const timeout own(1h);
    auto at = values->begin();
    ++at;
    const int got = *at;
    values.reset();
    return got;
  });
  loop.run_ready();
  EXPECT_FALSE(second->ready());
  advance(2s);
  EXPECT_EQ(second->get(), -1);
}

TEST_F(flow_timeouts, of_a_reader_that_has_ended_leave_a_wait_of_the_function_elsewhere_alone) {
  // The first reader's time is over while the function waits in it; the second one goes on with it.
  std::unique_ptr<generator<int>> values = std::make_unique<generator<int>>([](genlet<int>& to) {
    const timeout own(10s);
    to.yield(1);
    try {
      sleep_for(5s);
    } catch (const timeout_expired& thrown) {
      EXPECT_FALSE(own.owns(thrown));
      to.yield(2);
    }
    sleep_for(1s);
    to.yield(3);
  });
  auto first = spawn([&] {
    const timeout reader(1s);
    auto at = values->begin();
    ++at;
    return *at;
  });
  loop.run_ready();
  advance(1s);
  EXPECT_EQ(first->get(), 2);
  auto second = spawn([&] {
    auto at = values->begin();
    ++at;
    return *at;
  });
  loop.run_ready();
  advance(1s);
  EXPECT_EQ(second->get(), 3);
  values.reset();
}

TEST_F(flow_timeouts, end_with_a_generator_that_is_dropped_elsewhere) {
  std::unique_ptr<generator<int>> values;
  spawn([&] {
    values = std::make_unique<generator<int>>(limited(1s, 1s));
    (void)values->begin();
  });
  loop.run_ready();
  spawn([&] {
    const timeout own(1min);
    values.reset();
    sleep_for(1s);
  });
  loop.run_ready();
  advance(1s);
  EXPECT_EQ(loop.live_tasks(), 0U);
}

TEST_F(flow_timeouts, of_the_caller_limit_what_runs_on_a_big_stack) {
  auto task = spawn([] {
    return with_timeout(1s, [] {
      on_big_stack([] {
        const timeout longer(1min);
        sleep_for(1h);
      });
    });
  });
  loop.run_ready();
  advance(1s);
  EXPECT_FALSE(task->get());
}

TEST_F(flow_timeouts, may_end_in_any_order) {
  auto task = spawn([] {
    auto first = std::make_unique<timeout>(1h);
    auto second = std::make_unique<timeout>(1s);
    auto third = std::make_unique<timeout>(2h);
    first.reset();
    third.reset();
    EXPECT_THROW(sleep_for(1min), timeout_expired);
    EXPECT_TRUE(second->fired());
  });
  loop.run_ready();
  advance(1s);
  EXPECT_TRUE(task->successful());
}

TEST_F(flow_timeouts, of_another_hub_are_not_taken_for_the_own) {
  // As it is when a call on a thread that has a hub fails with its time-out.
  std::vector<timeout_expired> thrown;
  for (int i = 0; i < 3; ++i) {
    std::thread([&thrown] {
      manual_clock standing;
      hub other(standing);
      auto task = spawn([&thrown] {
        const timeout limit(0s);
        try {
          yield();
        } catch (const timeout_expired& error) {
          thrown.push_back(error);
        }
      });
      other.run_ready();
    }).join();
  }
  auto task = spawn([&] {
    for (const timeout_expired& foreign : thrown) {
      const timeout own(1s);
      EXPECT_FALSE(own.owns(foreign));
    }
    EXPECT_NE(thrown[0].identity, thrown[1].identity);
    EXPECT_THROW((void)with_timeout(1s, [&] { throw timeout_expired{thrown[2]}; }), timeout_expired);
  });
  loop.run_ready();
  EXPECT_EQ(thrown.size(), 3U);
  EXPECT_TRUE(task->successful());
}

}  // namespace
}  // namespace grove
