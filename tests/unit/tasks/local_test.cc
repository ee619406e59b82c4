// SPDX-License-Identifier: Apache-2.0
#include "worker/tasks/local.h"

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/hub_fixture.h"
#include "worker/hub/callback_timer.h"
#include "worker/tasks/task.h"

namespace grove {
namespace {

using namespace std::chrono_literals;
using locals = hub_fixture;
using tree_locals = hub_fixture;

TEST_F(locals, are_each_greenlet_s_own) {
  local<std::string> text;
  text.get() = "main";
  std::string seen;
  const auto body = [&](const std::string& name) {
    return [&, name] {
      EXPECT_EQ(text.find(), nullptr);
      EXPECT_EQ(*text, "");
      *text += name;
      yield();
      seen += *text;
    };
  };
  spawn(body("a"));
  spawn(body("b"));
  const greenlet_ptr raw = spawn_raw(body("raw"));
  callback_timer in_hub([&] { seen += *text + " "; });
  in_hub.arm(loop, loop.now());
  loop.run_ready();
  EXPECT_EQ(seen, "main abraw");
  EXPECT_EQ(text->size(), 4U);
  text.reset();
  EXPECT_EQ(text.find(), nullptr);
}

TEST_F(locals, begin_with_what_their_maker_gives) {
  int made = 0;
  local<int> number([&] { return ++made; });
  EXPECT_EQ(*number, 1);
  EXPECT_EQ(*number, 1);
  auto other = spawn([&] { return *number; });
  loop.run_ready();
  EXPECT_EQ(other->get(), 2);
}

TEST_F(locals, are_destroyed_at_the_end_of_the_greenlet_though_handles_are_left) {
  auto counted = std::make_shared<int>(0);
  local<std::shared_ptr<int>> kept([&] { return counted; });
  auto spawned_one = spawn([&] { (void)kept.get(); });
  auto killed = spawn([&] {
    (void)kept.get();
    sleep_for(1h);
  });
  greenlet_ptr finished = greenlet::make([&] { (void)kept.get(); });
  greenlet_ptr dropped = greenlet::make([&] {
    (void)kept.get();
    sleep_for(1h);
  });
  loop.run_ready();
  finished->resume();
  dropped->resume();
  EXPECT_EQ(counted.use_count(), 3);
  EXPECT_TRUE(finished->dead());
  killed->kill(kill_mode::do_not_wait);
  loop.run_ready();
  dropped.reset();
  EXPECT_EQ(counted.use_count(), 1);
}

TEST_F(locals, are_destroyed_with_their_variable_in_all_greenlets) {
  auto counted = std::make_shared<int>(0);
  std::optional<local<std::shared_ptr<int>>> variable(std::in_place, [&] { return counted; });
  local<int> other;
  auto task = spawn([&] {
    *other = 5;
    (void)variable->get();
    sleep_for(1s);
    return *other;
  });
  (void)variable->get();
  loop.run_ready();
  EXPECT_EQ(counted.use_count(), 3);
  variable.reset();
  EXPECT_EQ(counted.use_count(), 1);
  advance(1s);
  EXPECT_EQ(task->get(), 5);
}

TEST_F(locals, may_be_used_by_destructors_of_others) {
  struct last_word {
    local<int>* number = nullptr;
    int* seen = nullptr;
    last_word() = default;
    last_word(last_word&& other) noexcept
        : number(std::exchange(other.number, nullptr)), seen(std::exchange(other.seen, nullptr)) {}
    last_word& operator=(last_word&& other) noexcept {
      std::swap(number, other.number);
      std::swap(seen, other.seen);
      return *this;
    }
    ~last_word() {
      if (number != nullptr) *seen = ++**number;
    }
  };
  local<int> number;
  local<last_word> word;
  int seen = 0;
  spawn([&] {
    word->number = &number;
    word->seen = &seen;
    *number = 1;
  });
  loop.run_ready();
  EXPECT_EQ(seen, 1) << "a new value, since the first one has gone";
}

TEST_F(locals, of_a_thread_go_with_its_main_greenlet) {
  auto counted = std::make_shared<int>(0);
  std::thread([&] {
    thread_local local<std::shared_ptr<int>> kept([counted] { return counted; });
    (void)kept.get();
    auto raw = greenlet::make([&] { (void)kept.get(); });
    raw->resume();
  }).join();
  EXPECT_EQ(counted.use_count(), 1);
}

TEST_F(tree_locals, are_shared_by_who_spawned_each_other) {
  tree_local<std::vector<int>> shared;
  const auto tree = [&](int base) {
    return [&shared, base] {
      shared->push_back(base);
      auto child = spawn([&shared, base] {
        shared->push_back(base + 1);
        spawn([&shared, base] { shared->push_back(base + 2); });
      });
      child->join();
      yield();
      return *shared;
    };
  };
  auto one = spawn(tree(10));
  auto two = spawn(tree(20));
  loop.run_ready();
  EXPECT_EQ(one->get(), (std::vector{10, 11, 12}));
  EXPECT_EQ(two->get(), (std::vector{20, 21, 22}));
  EXPECT_EQ(shared.find(), nullptr) << "main has another tree";
}

TEST_F(tree_locals, are_destroyed_with_the_last_greenlet_of_the_tree) {
  auto counted = std::make_shared<int>(0);
  tree_local<std::shared_ptr<int>> kept([&] { return counted; });
  spawn([&] {
    (void)kept.get();
    spawn([&] { sleep_for(1s); });
  });
  loop.run_ready();
  EXPECT_EQ(counted.use_count(), 2);
  advance(1s);
  EXPECT_EQ(counted.use_count(), 1);
}

}  // namespace
}  // namespace grove
