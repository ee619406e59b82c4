// SPDX-License-Identifier: Apache-2.0
#include "worker/hub/task.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/hub/hub_fixture.h"
#include "worker/hub/async_result.h"
#include "worker/hub/event.h"
#include "worker/hub/queue.h"
#include "worker/hub/timeout.h"

namespace grove {
namespace {

using namespace std::chrono_literals;
using spawning = hub_fixture;
using killing = hub_fixture;
using linking = hub_fixture;

TEST_F(spawning, gives_the_value) {
  auto number = spawn([] { return 5; });
  auto owned = spawn([] { return std::make_unique<int>(6); });
  auto none = spawn([] {});
  EXPECT_FALSE(number->ready());
  loop.run_ready();
  EXPECT_TRUE(number->successful());
  EXPECT_EQ(number->get(), 5);
  EXPECT_EQ(*owned->get(), 6);
  none->get();
}

TEST_F(spawning, starts_in_the_order_of_spawning) {
  std::string order;
  for (const char* name : {"a", "b", "c"})
    spawn([&order, name] { order += name; });
  loop.run_ready();
  EXPECT_EQ(order, "abc");
}

TEST_F(spawning, later_waits_for_its_time) {
  bool ran = false;
  spawn_later(5s, [&] { ran = true; });
  advance(4s);
  EXPECT_FALSE(ran);
  advance(1s);
  EXPECT_TRUE(ran);
}

TEST_F(spawning, keeps_a_task_without_handles_alive) {
  bool done = false;
  spawn([&] {
    yield();
    done = true;
  });
  loop.run_ready();
  EXPECT_TRUE(done);
}

TEST_F(spawning, rethrows_its_error_to_who_asks) {
  auto failed = spawn([]() -> int { throw std::runtime_error("failed"); });
  loop.run_ready();
  EXPECT_TRUE(failed->ready());
  EXPECT_FALSE(failed->successful());
  EXPECT_THROW(failed->get(), std::runtime_error);
}

TEST_F(spawning, reports_an_error_that_nobody_asks_for_once) {
  spawn([] { throw std::runtime_error("unseen"); });
  loop.run_ready();
  expected_errors = {"a spawned greenlet: unseen"};
}

TEST_F(spawning, join_waits_for_the_end_and_does_not_throw_the_error) {
  std::string order;
  auto failing = spawn([&] {
    sleep_for(1s);
    order += "end ";
    throw std::runtime_error("failed");
  });
  spawn([&] {
    EXPECT_FALSE(failing->join(time_after(loop.now(), 100ms)));
    order += "too-early ";
    EXPECT_TRUE(failing->join());
    order += "joined";
    EXPECT_NE(failing->exception(), nullptr);
  });
  loop.run_ready();
  advance(100ms);
  advance(1s);
  EXPECT_EQ(order, "too-early end joined");
}

TEST_F(spawning, get_in_too_short_a_time_is_an_error) {
  auto slow = spawn([] {
    sleep_for(1s);
    return 1;
  });
  auto asking = spawn([&] { EXPECT_THROW(slow->get(time_after(loop.now(), 10ms)), task_unfinished); });
  loop.run_ready();
  advance(10ms);
  EXPECT_TRUE(asking->ready());
  advance(1s);
  EXPECT_EQ(slow->get(), 1);
}

TEST_F(spawning, waits_for_a_stack_when_all_are_in_use) {
  const std::size_t before = thread_stacks().count_max();
  thread_stacks().set_count_max(thread_stacks().in_use() + 2);
  event go(loop);
  std::vector<spawned<void>> all;
  all.reserve(5);
  int ran = 0;
  for (int i = 0; i < 5; ++i) {
    all.push_back(spawn([&] {
      ++ran;
      go.wait();
    }));
  }
  loop.run_ready();
  EXPECT_EQ(ran, 2);
  all[4]->kill(kill_mode::do_not_wait);
  loop.run_ready();
  EXPECT_EQ(ran, 2);
  EXPECT_TRUE(all[4]->ready());
  go.set();
  loop.run_ready();
  EXPECT_EQ(ran, 4);
  thread_stacks().set_count_max(before);
}

TEST_F(spawning, can_be_taken_back_when_a_stack_has_been_found) {
  const std::size_t before = thread_stacks().count_max();
  thread_stacks().set_count_max(thread_stacks().in_use() + 1);
  event go(loop);
  spawn([&] { go.wait(); });
  auto starved = spawn([] {});
  loop.run_ready();
  // The next pass lines the starved one up, behind this.
  loop.post([&] { starved->kill(kill_mode::do_not_wait); });
  thread_stacks().set_count_max(before);
  loop.poll();
  EXPECT_TRUE(starved->exited());
  go.set();
  loop.run_ready();
  EXPECT_EQ(loop.ready_count(), 0U);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // which need memory of their own
/// While it exists, the system has a little memory, but none for a slab of stacks.
class no_memory_for_stacks {
 public:
  no_memory_for_stacks() {
    ::getrlimit(RLIMIT_AS, &before_);
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    rlimit now = before_;
    now.rlim_cur = pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) + (std::size_t{2} << 20U);
    ::setrlimit(RLIMIT_AS, &now);
  }
  no_memory_for_stacks(const no_memory_for_stacks&) = delete;
  no_memory_for_stacks& operator=(const no_memory_for_stacks&) = delete;
  ~no_memory_for_stacks() { ::setrlimit(RLIMIT_AS, &before_); }

 private:
  rlimit before_{};
};

TEST_F(spawning, sleeps_while_the_system_has_no_memory_for_stacks) {
  event go(loop);
  std::vector<spawned<void>> all;
  std::size_t ran = 0;
  spawn([] {});
  loop.run_ready();  // The pool has some stacks.
  {
    const no_memory_for_stacks limit;
    do {
      all.push_back(spawn([&] {
        ++ran;
        go.wait();
      }));
      loop.run_ready(4);
    } while (ran == all.size());
    EXPECT_FALSE(thread_stacks().exhausted());
    EXPECT_FALSE(loop.poll()) << "there is nothing to do";
    advance(1s);
    EXPECT_EQ(ran, all.size() - 1);
    EXPECT_FALSE(loop.poll());
    all.front()->kill(kill_mode::do_not_wait);
    loop.run_ready();
    EXPECT_EQ(ran, all.size()) << "a stack has come back";
    all.push_back(spawn([&] { ++ran; }));
    loop.run_ready();
    EXPECT_EQ(ran, all.size() - 1);
  }
  advance(1s);
  EXPECT_EQ(ran, all.size()) << "the system has memory again";
  go.set();
}
#endif

TEST_F(spawning, destroys_the_callable_at_the_end) {
  auto owned = std::make_shared<int>(1);
  auto task = spawn([owned] {});
  loop.run_ready();
  EXPECT_EQ(owned.use_count(), 1);
}

TEST_F(killing, throws_at_the_wait_and_counts_as_successful) {
  bool unwound = false;
  auto victim = spawn([&] {
    struct guard {
      bool& flag;
      ~guard() { flag = true; }
    } at_end{unwound};
    sleep_for(1h);
  });
  auto killer = spawn([&] {
    EXPECT_TRUE(victim->kill());
    EXPECT_TRUE(victim->ready());
  });
  loop.run_ready();
  EXPECT_TRUE(killer->ready());
  EXPECT_TRUE(unwound);
  EXPECT_TRUE(victim->exited());
  EXPECT_TRUE(victim->successful());
  EXPECT_EQ(victim->exception(), nullptr);
  EXPECT_THROW(victim->get(), task_killed);
}

TEST_F(killing, before_the_start_never_runs_the_body_but_fires_links) {
  bool ran = false;
  int links = 0;
  for (auto& victim : {spawn([&] { ran = true; }), spawn_later(1h, [&] { ran = true; })}) {
    victim->link([&](task_base& ended) {
      ++links;
      EXPECT_TRUE(ended.exited());
    });
    EXPECT_TRUE(victim->kill());
    EXPECT_TRUE(victim->ready());
  }
  loop.run_ready();
  EXPECT_FALSE(ran);
  EXPECT_EQ(links, 2);
}

TEST_F(killing, before_the_start_with_an_error_is_a_failure) {
  auto victim = spawn([] {});
  victim->kill(kill_mode::wait, std::make_exception_ptr(std::runtime_error("shot")));
  EXPECT_THROW(victim->get(), std::runtime_error);
}

TEST_F(killing, first_one_wins) {
  std::string seen;
  auto victim = spawn([&] {
    try {
      sleep_for(1h);
    } catch (const std::runtime_error& error) {
      seen += error.what();
    }
    sleep_for(1s);
  });
  loop.run_ready();
  victim->kill(kill_mode::do_not_wait, std::make_exception_ptr(std::runtime_error("first")));
  victim->kill(kill_mode::do_not_wait, std::make_exception_ptr(std::runtime_error("second")));
  loop.run_ready();
  victim->kill(kill_mode::do_not_wait, std::make_exception_ptr(std::runtime_error("third")));
  loop.run_ready();
  EXPECT_EQ(seen, "first");
  advance(1s);
  EXPECT_TRUE(victim->ready());
}

TEST_F(killing, a_finished_one_is_nothing) {
  auto done = spawn([] { return 1; });
  loop.run_ready();
  EXPECT_TRUE(done->kill());
  EXPECT_EQ(done->get(), 1);
}

TEST_F(killing, itself_throws_at_once) {
  bool after = false;
  spawned<void> self;
  self = spawn([&] {
    self->kill();
    after = true;
  });
  loop.run_ready();
  EXPECT_FALSE(after);
  EXPECT_TRUE(self->exited());
}

TEST_F(killing, one_that_survives_leaves_it_alive_after_the_time) {
  auto survivor = spawn([] {
    try {
      sleep_for(1h);
    } catch (const greenlet_exit&) {
      sleep_for(10s);
    }
  });
  auto killer = spawn([&] { EXPECT_FALSE(survivor->kill(kill_mode::wait, nullptr, time_after(loop.now(), 1s))); });
  loop.run_ready();
  advance(1s);
  EXPECT_TRUE(killer->ready());
  EXPECT_FALSE(survivor->ready());
  advance(9s);
  EXPECT_TRUE(survivor->ready());
}

TEST_F(killing, one_that_yields_for_ever_ends_it) {
  auto busy = spawn([] {
    for (;;)
      yield();
  });
  for (int i = 0; i < 5; ++i)
    loop.poll();
  busy->kill(kill_mode::do_not_wait);
  loop.run_ready();
  EXPECT_TRUE(busy->ready());
}

TEST_F(killing, is_not_lost_behind_a_timeout_that_is_pending) {
  auto victim = spawn([&] {
    timeout limit(1s);
    try {
      sleep_for(1h);
    } catch (const timeout_expired&) {  // goes on: the kill must come at the next wait
    }
    sleep_for(1h);
  });
  loop.run_ready();
  time.advance(1s);
  loop.poll();  // the timeout is pending now
  victim->kill(kill_mode::do_not_wait);
  loop.run_ready();
  EXPECT_TRUE(victim->exited());
}

TEST_F(killing, who_waits_for_another_is_not_the_other) {
  auto target = spawn([] { sleep_for(1s); });
  auto joiner = spawn([&] { target->join(); });
  loop.run_ready();
  joiner->kill(kill_mode::do_not_wait);
  loop.run_ready();
  EXPECT_TRUE(joiner->exited());
  EXPECT_FALSE(target->ready());
  advance(1s);
  EXPECT_TRUE(target->ready());
}

TEST_F(linking, calls_in_the_order_of_linking_in_the_hub) {
  std::string order;
  auto task = spawn([] { return 3; });
  task->link([&](task_base&) {
    EXPECT_TRUE(loop.in_hub());
    order += "a";
  });
  task->link([&](task_base&) { order += "b"; });
  loop.run_ready();
  EXPECT_EQ(order, "ab");
}

TEST_F(linking, a_finished_one_still_fires) {
  auto task = spawn([] {});
  loop.run_ready();
  int fired = 0;
  task->link([&](task_base&) { ++fired; });
  task = {};  // the link keeps the task
  EXPECT_EQ(fired, 0);
  loop.run_ready();
  EXPECT_EQ(fired, 1);
}

TEST_F(linking, one_that_throws_does_not_stop_the_others) {
  auto task = spawn([] {});
  bool fired = false;
  task->link([](task_base&) { throw std::runtime_error("listener"); });
  task->link([&](task_base&) { fired = true; });
  loop.run_ready();
  EXPECT_TRUE(fired);
  expected_errors = {"a link of a spawned greenlet: listener"};
}

TEST_F(linking, to_watch_leaves_the_error_to_the_handler) {
  int fired = 0;
  spawn([] { throw std::runtime_error("unseen"); })->watch([&](task_base&) { ++fired; });
  loop.run_ready();
  EXPECT_EQ(fired, 1);
  expected_errors = {"a spawned greenlet: unseen"};
}

TEST_F(linking, calls_before_the_greenlets_that_join_run) {
  std::string order;
  auto task = spawn([] { yield(); });
  spawn([&] {
    task->join();
    order += "joined";
  });
  loop.poll();
  task->link([&](task_base&) { order += "link "; });
  loop.run_ready();
  EXPECT_EQ(order, "link joined");
}

TEST_F(linking, can_be_undone_before_and_during_the_notification) {
  auto task = spawn([] {});
  std::string order;
  std::uint64_t second = 0;
  const std::uint64_t first = task->link([&](task_base&) { order += "1"; });
  task->link([&](task_base& ended) {
    order += "x";
    ended.unlink(second);
  });
  second = task->link([&](task_base&) { order += "2"; });
  task->unlink(first);
  loop.run_ready();
  EXPECT_EQ(order, "x");
}

TEST_F(linking, fires_for_the_ends_it_is_for) {
  auto good = spawn([] { return 1; });
  auto bad = spawn([] { throw std::runtime_error("failed"); });
  auto killed = spawn([] {});
  std::string order;
  for (const auto& [name, task] :
       std::vector<std::pair<std::string, task_ptr>>{{"good", good}, {"bad", bad}, {"killed", killed}}) {
    task->link_value([&order, name = name](task_base&) { order += name + " value, "; });
    task->link_exception([&order, name = name](task_base&) { order += name + " exception, "; });
    task->unlink(task->link_value([&](task_base&) { order += "unlinked"; }));
  }
  killed->kill();
  loop.run_ready();
  EXPECT_EQ(order, "killed value, good value, bad exception, ");
  good->link([&](task_base&) { order += "unlinked"; });
  good->unlink_all();
  loop.run_ready();
  EXPECT_EQ(order, "killed value, good value, bad exception, ");
}

TEST_F(linking, of_values_leaves_an_error_for_the_handler) {
  auto task = spawn([] { throw std::runtime_error("unseen"); });
  task->link_value([](task_base&) {});
  loop.run_ready();
  task = {};
  expected_errors = {"a spawned greenlet: unseen"};
}

TEST_F(linking, in_a_greenlet_may_wait_and_fails_alone) {
  auto task = spawn([] { return 1; });
  std::string order;
  const auto slow = [&](task_base& ended) {
    sleep_for(1s);
    order += ended.successful() ? "slow" : "?";
    throw std::runtime_error("listener");
  };
  task->link(slow, link_on::any, link_in::greenlet);
  task->link([&](task_base&) { order += "quick "; });
  task = {};
  loop.run_ready();
  advance(1s);
  EXPECT_EQ(order, "quick slow");
  expected_errors = {"a spawned greenlet: listener"};
}

TEST_F(linking, to_results_and_queues_passes_the_end_on) {
  async_result<int> value(loop);
  async_result<void> error(loop);
  async_result<std::unique_ptr<int>> owned(loop);
  async_result<int> exit(loop);
  queue<task_ptr> ended(loop);
  auto good = spawn([] { return 5; });
  auto moved = spawn([] { return std::make_unique<int>(6); });
  auto bad = spawn([] { throw std::runtime_error("failed"); });
  auto killed = spawn([] { return 1; });
  good->link_to(value);
  moved->link_to(owned);
  bad->link_to(error);
  killed->link_to(exit);
  good->link([&](task_base& task) { (void)ended.try_push(task_ptr(&task)); });
  killed->kill();
  auto waiting = spawn([&] { return value.get() + *owned.get(); });
  loop.run_ready();
  EXPECT_EQ(waiting->get(), 11);
  EXPECT_THROW(error.get(), std::runtime_error);
  EXPECT_THROW(exit.get(), task_killed);
  EXPECT_EQ(ended.pop().get(), good.get());
  EXPECT_EQ(*good->value(), 5) << "copied, and not taken";
  EXPECT_EQ(killed->value(), nullptr);
}

}  // namespace
}  // namespace grove
