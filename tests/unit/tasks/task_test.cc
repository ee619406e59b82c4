// SPDX-License-Identifier: Apache-2.0
#include "worker/tasks/task.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/hub_fixture.h"
#include "worker/tasks/async_result.h"
#include "worker/tasks/event.h"
#include "worker/tasks/queue.h"
#include "worker/tasks/timeout.h"

namespace grove {
namespace {

using namespace std::chrono_literals;
using spawning = hub_fixture;

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

}  // namespace
}  // namespace grove
