// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdint>
#include <stdexcept>
#include <vector>

#include "tests/support/hub_fixture.h"
#include "worker/tasks/joining.h"
#include "worker/tasks/task.h"
#include "worker/tasks/timeout.h"

namespace grove {
namespace {

using namespace std::chrono_literals;
using spawning = hub_fixture;
using joining_scopes = hub_fixture;

TEST_F(spawning, in_two_steps_starts_once_and_never_after_a_kill) {
  int runs = 0;
  auto task = make_task_on(loop, [&] { ++runs; });
  EXPECT_FALSE(task->started());
  loop.run_ready();
  EXPECT_EQ(runs, 0);
  task->start();
  EXPECT_TRUE(task->started());
  task->start(time_after(loop.now(), 1h));
  loop.run_ready();
  EXPECT_FALSE(task->started());
  EXPECT_TRUE(task->ready());
  task->start();
  auto shot = make_task_on(loop, [&] { ++runs; });
  bool linked = false;
  shot->link([&](task_base& ended) { linked = ended.exited(); });
  EXPECT_TRUE(shot->kill());
  shot->start();
  make_task_on(loop, [&] { ++runs; });  // dropped
  auto later = make_task_on(loop, [&] { ++runs; });
  later->start(time_after(loop.now(), 1s));
  loop.run_ready();
  EXPECT_EQ(runs, 1);
  EXPECT_TRUE(linked);
  advance(1s);
  EXPECT_EQ(runs, 2);
}

TEST_F(spawning, raw_runs_at_the_next_pass_and_reports_what_leaves_it) {
  bool done = false;
  const greenlet_ptr waits = spawn_raw([&] {
    sleep_for(1s);
    done = true;
  });
  const greenlet_ptr fails = spawn_raw([] { throw std::runtime_error("raw"); });
  EXPECT_FALSE(waits->started());
  advance(0s);
  advance(1s);
  EXPECT_TRUE(done);
  expected_errors = {"a greenlet or callback run by the hub: raw"};
}

TEST_F(spawning, gives_small_idents_again_and_numbers_never) {
  auto first = spawn([] { yield(); });
  auto second = spawn([] { sleep_for(1s); });
  EXPECT_EQ(first->ident(), 0U);
  EXPECT_EQ(second->ident(), 1U);
  EXPECT_EQ(second->label(), "greenlet-1");
  second->set_name("second");
  EXPECT_EQ(second->label(), "second");
  loop.run_ready();
  auto third = spawn([] {});
  EXPECT_EQ(third->ident(), 0U);
  EXPECT_EQ(first->ident(), 0U) << "what it was";
  EXPECT_LT(first->number(), second->number());
  EXPECT_LT(second->number(), third->number());
  advance(1s);
}

TEST_F(spawning, remembers_who_spawned_while_that_one_lives) {
  task_ptr child;
  auto parent = spawn([&] {
    child = spawn([] { sleep_for(2s); });
    sleep_for(1s);
  });
  loop.run_ready();
  EXPECT_EQ(parent->spawner_number(), 0U);
  EXPECT_EQ(parent->spawner(), nullptr);
  EXPECT_EQ(child->spawner(), parent.get());
  const std::vector<task_ptr> all = task_base::all(loop);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].get(), parent.get());
  advance(1s);
  EXPECT_EQ(child->spawner(), nullptr);
  EXPECT_EQ(child->spawner_number(), parent->number());
  advance(1s);
}

TEST_F(spawning, calls_back_for_every_start) {
  std::vector<std::uint64_t> seen;
  const auto number = task_base::add_spawn_callback(loop, [&](task_base& task) { seen.push_back(task.number()); });
  const auto failing = task_base::add_spawn_callback(loop, [](task_base&) { throw std::runtime_error("observer"); });
  auto task = make_task_on(loop, [] {});
  EXPECT_TRUE(seen.empty());
  task->start();
  task_base::remove_spawn_callback(loop, failing);
  EXPECT_EQ(seen, std::vector{task->number()});
  task_base::remove_spawn_callback(loop, number);
  spawn([] {});
  EXPECT_EQ(seen.size(), 1U);
  expected_errors = {"a spawn callback: observer"};
}

TEST_F(joining_scopes, join_at_a_normal_end) {
  auto task = spawn([] {
    sleep_for(1s);
    throw std::runtime_error("stays in the task");
  });
  auto outer = spawn([&] {
    { const joining scope(task); }
    return task->ready();
  });
  loop.run_ready();
  EXPECT_FALSE(outer->ready());
  advance(1s);
  EXPECT_TRUE(outer->get());
  EXPECT_NE(task->exception(), nullptr);
}

TEST_F(joining_scopes, kill_at_an_exception_and_wait_for_the_end) {
  bool unwound = false;
  auto task = spawn([&] {
    try {
      sleep_for(1h);
    } catch (const greenlet_exit&) {
      sleep_for(1s);  // takes its time
      unwound = true;
      throw;
    }
  });
  auto outer = spawn([&] {
    const joining scope(task);
    yield();
    throw std::runtime_error("leaves the scope");
  });
  loop.run_ready();
  EXPECT_FALSE(outer->ready());
  advance(1s);
  EXPECT_TRUE(unwound);
  EXPECT_THROW(outer->get(), std::runtime_error);
  EXPECT_TRUE(task->exited());
}

TEST_F(joining_scopes, kill_when_the_join_is_ended) {
  auto task = spawn([] { sleep_for(1h); });
  auto outer = spawn([&] {
    const timeout limit(1s);
    try {
      const joining scope(task);
    } catch (const timeout_expired& thrown) {
      return limit.owns(thrown);
    }
    return false;
  });
  loop.run_ready();
  advance(1s);
  EXPECT_TRUE(outer->get());
  EXPECT_TRUE(task->exited());
}

TEST_F(joining_scopes, do_not_wait_in_a_greenlet_that_is_dropped) {
  auto task = spawn([] { sleep_for(1h); });
  greenlet_ptr raw = greenlet::make([&] {
    const joining scope(task);
    sleep_for(2h);
  });
  loop.run_ready();
  raw->resume();
  raw.reset();
  loop.run_ready();
  EXPECT_TRUE(task->exited());
}

}  // namespace
}  // namespace grove
