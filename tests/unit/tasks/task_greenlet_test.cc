// SPDX-License-Identifier: Apache-2.0
// Short tasks that come one after another run in one greenlet, and nobody can tell.
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/hub_fixture.h"
#include "worker/greenlet/context.h"
#include "worker/greenlet/metering.h"
#include "worker/greenlet/trace.h"
#include "worker/tasks/event.h"
#include "worker/tasks/group.h"
#include "worker/tasks/local.h"
#include "worker/tasks/task.h"

namespace grove {
namespace {

using namespace std::chrono_literals;
using task_greenlet = hub_fixture;

TEST_F(task_greenlet, runs_the_tasks_that_come_next) {
  std::vector<std::uint64_t> greenlets;
  for (int i = 0; i < 5; ++i)
    spawn([&] { greenlets.push_back(count_greenlets().greenlets); });
  const std::uint64_t before = count_greenlets().greenlets;
  loop.run_ready();
  EXPECT_EQ(greenlets, std::vector<std::uint64_t>(5, before + 1)) << "one at a time";
  EXPECT_EQ(count_greenlets().greenlets, before);
}

TEST_F(task_greenlet, belongs_to_a_task_for_as_long_as_it_waits) {
  std::set<greenlet*> waiting;
  event go(loop);
  for (int i = 0; i < 5; ++i) {
    spawn([&] {
      waiting.insert(&greenlet::current());
      go.wait();
      EXPECT_TRUE(waiting.contains(&greenlet::current()));
    });
  }
  loop.run_ready();
  EXPECT_EQ(waiting.size(), 5U);
  go.set();
  loop.run_ready();
}

TEST_F(task_greenlet, is_not_handed_on_while_somebody_holds_it) {
  greenlet_ptr held;
  spawn([&] { held = greenlet_ptr(&greenlet::current()); });
  bool same = true;
  spawn([&] { same = held->is_current(); });
  loop.run_ready();
  EXPECT_FALSE(same);
  EXPECT_TRUE(held->dead());
}

TEST_F(task_greenlet, is_not_handed_on_with_another_parent) {
  std::string got;
  greenlet_ptr other = greenlet::make([&] { got = "told"; });
  spawn([&] { greenlet::current().set_parent(*other); });
  spawn([&] { EXPECT_NE(greenlet::current().parent(), other.get()); });
  loop.run_ready();
  EXPECT_EQ(got, "told") << "an ended greenlet goes to its parent";
}

TEST_F(task_greenlet, is_made_for_each_task_while_switches_are_traced) {
  std::set<const greenlet*> arrived;
  set_trace([&](trace_event, const greenlet&, const greenlet& target) { arrived.insert(&target); });
  std::vector<greenlet_ptr> alive;
  for (int i = 0; i < 3; ++i)
    spawn([&] { alive.emplace_back(&greenlet::current()); });
  loop.run_ready();
  set_trace(nullptr);
  EXPECT_EQ(arrived.size(), 4U) << "three tasks and the hub";
}

TEST_F(task_greenlet, has_nothing_left_of_the_task_before) {
  local<int> number;
  context_var<int> variable(7);
  spawn([&] {
    *number = 1;
    variable.set(8);
    greenlet::current().set_local(this);
  })->set_name("first");
  spawn([&] {
    EXPECT_EQ(*number, 0);
    EXPECT_EQ(*variable.get(), 7);
    EXPECT_EQ(greenlet::current().name(), "second");
    EXPECT_EQ(greenlet::current().local(), nullptr);
  })->set_name("second");
  loop.run_ready();
}

TEST_F(task_greenlet, goes_on_after_an_error_and_after_an_exit) {
  auto failed = spawn([] { throw std::runtime_error("first"); });
  auto left = spawn([] { throw greenlet_exit(); });
  auto done = spawn([] { return 3; });
  failed->link([](task_base&) {});
  loop.run_ready();
  EXPECT_FALSE(failed->successful());
  EXPECT_TRUE(left->exited());
  EXPECT_EQ(done->get(), 3);
}

TEST_F(task_greenlet, lets_a_task_be_killed_that_it_was_handed_on_to) {
  spawn([] {});
  bool after = false;
  auto second = spawn([&] {
    sleep_for(1h);
    after = true;
  });
  loop.run_ready();
  second->kill(kill_mode::do_not_wait);
  loop.run_ready();
  EXPECT_TRUE(second->exited());
  EXPECT_FALSE(after);
}

TEST_F(task_greenlet, loses_nobody_when_a_local_value_kills_the_next_task) {
  struct killer {
    task_ptr victim;
    ~killer() {
      if (victim) victim->kill(kill_mode::do_not_wait);
    }
  };
  local<killer> mine;
  event go(loop);
  bool woke = false;
  bool ran = false;
  spawn([&] {
    go.wait();
    woke = true;
  });
  loop.run_ready();
  spawn([&] {
    mine->victim = spawn([&] { ran = true; });
    go.set();
  });
  loop.run_ready();
  EXPECT_TRUE(woke);
  EXPECT_FALSE(ran);
  EXPECT_EQ(loop.live_tasks(), 0U);
}

TEST_F(task_greenlet, ends_well_when_a_local_group_waits_for_the_next_task) {
  local<std::unique_ptr<group>> mine;
  bool ran = false;
  spawn([&] {
    *mine = std::make_unique<group>(loop);
    (*mine)->spawn([&] { ran = true; });
  });
  loop.run_ready();
  EXPECT_FALSE(ran) << "the group ends with its greenlet, and with it what it has spawned";
  EXPECT_EQ(loop.live_tasks(), 0U);
}

TEST_F(task_greenlet, leaves_the_order_of_what_is_ready_as_it_is) {
  std::string order;
  spawn([&] { order += 'a'; });
  spawn([&] { order += 'b'; });
  loop.post([&] { order += 'c'; });
  spawn([&] {
    order += 'd';
    yield();
    order += 'g';
  });
  spawn([&] { order += 'e'; });
  spawn([&] { order += 'f'; });
  loop.run_ready();
  EXPECT_EQ(order, "abcdefg");
}

TEST_F(task_greenlet, runs_no_task_that_was_killed_before_its_start) {
  std::string order;
  spawned<void> second;
  spawn([&] {
    order += 'a';
    second->kill(kill_mode::do_not_wait);
  });
  second = spawn([&] { order += 'b'; });
  spawn([&] { order += 'c'; });
  loop.run_ready();
  EXPECT_EQ(order, "ac");
  EXPECT_TRUE(second->exited());
}

TEST_F(task_greenlet, ends_a_batch_in_time) {
  int ran = 0;
  for (int i = 0; i < 100; ++i) {
    spawn([&] {
      ++ran;
      time.advance(1ms);
    });
  }
  loop.poll();
  EXPECT_EQ(ran, 32) << "as many as run between two looks at the clock";
  loop.run_ready();
}

}  // namespace
}  // namespace grove
