// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/hub_fixture.h"
#include "worker/tasks/async_result.h"
#include "worker/tasks/event.h"
#include "worker/tasks/queue.h"
#include "worker/tasks/task.h"

namespace grove {
namespace {

using namespace std::chrono_literals;
using linking = hub_fixture;

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

/// Links that count, on a task that will end in the next pass.
class many_links {
 public:
  explicit many_links(std::size_t count) : task_(spawn([] {})) {
    for (std::size_t i = 0; i < count; ++i)
      numbers_.push_back(task_->link([this] { ++called_; }));
  }
  [[nodiscard]] std::size_t called() const noexcept { return called_; }
  void unlink(std::size_t which) { task_->unlink(numbers_[which]); }

 private:
  task_ptr task_;
  std::vector<std::uint64_t> numbers_;
  std::size_t called_ = 0;
};

// With a cost of n for each of n links these would take half an hour.
constexpr std::size_t very_many = 1'000'000;

TEST_F(linking, of_very_many_calls_each_once) {
  many_links all(very_many);
  loop.run_ready();
  EXPECT_EQ(all.called(), very_many);
}

TEST_F(linking, of_very_many_can_be_undone_in_any_order) {
  for (const bool backwards : {false, true}) {
    many_links all(very_many);
    for (std::size_t i = 0; i + 1 < very_many; ++i)
      all.unlink(backwards ? very_many - 1 - i : i);
    loop.run_ready();
    EXPECT_EQ(all.called(), 1U);
  }
}

TEST_F(linking, of_who_comes_and_goes_keeps_the_order_of_those_that_stay) {
  auto task = spawn([] { yield(); });
  std::string order;
  std::uint64_t before = task->link([] { FAIL() << "it was unlinked"; });
  for (int i = 0; i < 1000; ++i) {
    if (i % 100 == 0) task->link([&order, i] { order += std::to_string(i / 100); });
    const std::uint64_t next = task->link([] { FAIL() << "it was unlinked"; });
    task->unlink(before);
    before = next;
  }
  task->unlink(before);
  task->unlink(before);  // for nothing
  loop.run_ready();
  EXPECT_EQ(order, "0123456789");
}

TEST_F(linking, may_go_on_in_the_destructors_of_what_is_unlinked) {
  struct linking_at_end {
    task_base& to;
    std::string& said;
    linking_at_end(task_base& task, std::string& into) : to(task), said(into) {}
    linking_at_end(const linking_at_end&) = delete;
    linking_at_end& operator=(const linking_at_end&) = delete;
    ~linking_at_end() {
      for (int i = 0; i < 9; ++i)
        to.link([&into = said] { into += 'n'; });
    }
  };
  auto task = spawn([] {});
  std::string said;
  for (int i = 0; i < 2; ++i)
    task->link([last = std::make_shared<linking_at_end>(*task, said)] { FAIL() << "it was unlinked"; });
  task->watch([&] { said += 'w'; });
  task->unlink_all();
  loop.run_ready();
  EXPECT_EQ(said, "w" + std::string(18, 'n'));
}

}  // namespace
}  // namespace grove
