// SPDX-License-Identifier: Apache-2.0
// The ready queue, and greenlets that wait and resume each other without the hub in between.
#include "worker/hub/ready.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/hub_fixture.h"
#include "worker/greenlet/trace.h"
#include "worker/tasks/event.h"
#include "worker/tasks/task.h"

namespace grove {
namespace {

using namespace std::chrono_literals;

class numbered final : public ready_item {
 public:
  explicit numbered(int is) : number(is) {}
  const int number;

 private:
  void run() override {}
};

int pop_number(ready_queue& queue) {
  return static_cast<numbered&>(queue.pop()).number;
}

TEST(ready_queue, keeps_its_order_while_it_grows_and_goes_round) {
  std::vector<std::unique_ptr<numbered>> items;
  ready_queue queue;
  int popped = 0;
  for (int step = 1; step <= 200; ++step) {
    for (int i = 0; i < step; ++i) {
      items.push_back(std::make_unique<numbered>(static_cast<int>(items.size())));
      queue.push(*items.back());
    }
    for (int i = 0; i < step / 2; ++i)
      ASSERT_EQ(pop_number(queue), popped++);
  }
  EXPECT_EQ(queue.size(), items.size() - static_cast<std::size_t>(popped));
  while (!queue.empty())
    ASSERT_EQ(pop_number(queue), popped++);
  EXPECT_EQ(popped, static_cast<int>(items.size()));
}

TEST(ready_queue, forgets_items_that_are_taken_back_wherever_they_are) {
  std::vector<std::unique_ptr<numbered>> items;
  ready_queue queue;
  for (int i = 0; i < 10; ++i) {
    items.push_back(std::make_unique<numbered>(i));
    queue.push(*items.back());
  }
  for (const std::size_t gone : {0U, 1U, 5U, 9U})
    queue.remove(*items[gone]);
  EXPECT_FALSE(items[5]->is_queued());
  queue.push(*items[5]);
  EXPECT_EQ(queue.size(), 7U);
  std::vector<int> left;
  while (!queue.empty())
    left.push_back(pop_number(queue));
  EXPECT_EQ(left, (std::vector<int>{2, 3, 4, 6, 7, 8, 5}));
}

TEST(ready_queue, can_be_used_again_after_a_trim) {
  std::vector<std::unique_ptr<numbered>> items;
  ready_queue queue;
  for (int i = 0; i < 10000; ++i) {
    items.push_back(std::make_unique<numbered>(i));
    queue.push(*items.back());
  }
  queue.trim();
  EXPECT_EQ(queue.size(), 10000U) << "one that is in use is left alone";
  while (!queue.empty())
    queue.pop();
  queue.trim();
  queue.push(*items[7]);
  EXPECT_EQ(pop_number(queue), 7);
}

using waiting_greenlets = hub_fixture;

/// Names of the greenlets that switches arrive at.
class arrivals {
 public:
  arrivals() {
    set_trace([this](trace_event, const greenlet&, const greenlet& target) { names += target.name(); });
  }
  ~arrivals() { set_trace(nullptr); }
  arrivals(const arrivals&) = delete;
  arrivals& operator=(const arrivals&) = delete;
  std::string names;
};

TEST_F(waiting_greenlets, resume_the_next_one_in_line_and_not_the_hub) {
  loop.hub_greenlet().set_name("-");
  for (const char* name : {"a", "b", "c"}) {
    spawn([] {
      yield();
      yield();
    })->set_name(name);
  }
  loop.poll();
  const arrivals seen;
  loop.poll();
  EXPECT_EQ(seen.names, "abc-") << "one pass: the first by the hub, the last goes back to it";
  loop.hub_greenlet().set_name("main");
}

TEST_F(waiting_greenlets, leave_what_the_hub_must_run_to_the_hub) {
  std::string order;
  event go(loop);
  const auto waits = [&](char name) {
    spawn([&order, &go, name] {
      go.wait();
      order += name;
      yield();
      order += name;
    });
  };
  waits('a');
  waits('b');
  loop.run_ready();
  go.set();
  loop.post([&] { order += loop.in_hub() ? "hub" : "elsewhere"; });
  loop.run_ready();
  EXPECT_EQ(order, "abhubab");
}

TEST_F(waiting_greenlets, look_at_the_clock_as_often_as_the_hub_does) {
  int turns = 0;
  bool io = false;
  for (int i = 0; i < 100; ++i) {
    spawn([&] {
      yield();
      ++turns;
      time.advance(1ms);
    });
  }
  loop.poll();
  loop.poll();
  EXPECT_EQ(turns, 32) << "32 ms are more than the 5 that a batch may take";
  loop.post_from_thread([&] { io = true; });
  loop.poll();
  EXPECT_TRUE(io);
  loop.run_ready();
  EXPECT_EQ(turns, 100);
}

TEST_F(waiting_greenlets, may_be_killed_while_they_are_in_line) {
  std::string order;
  spawned<void> second;
  spawn([&] {
    yield();
    second->kill(kill_mode::do_not_wait);
    order += "killed ";
  });
  second = spawn([&] {
    try {
      yield();
      order += "wrong";
    } catch (const greenlet_exit&) {
      order += "gone";
      throw;
    }
  });
  loop.run_ready();
  EXPECT_EQ(order, "killed gone");
  EXPECT_TRUE(second->exited());
}

TEST_F(waiting_greenlets, may_lose_their_last_handle_on_another_thread_while_they_are_in_line) {
  bool unwound = false;
  event go(loop);
  greenlet_ptr raw = greenlet::make([&] {
    try {
      go.wait();
      yield();
    } catch (const greenlet_exit&) {
      unwound = true;
      throw;
    }
  });
  raw->resume();
  go.set();
  std::thread([dropped = std::move(raw)]() mutable { dropped.reset(); }).join();
  loop.run_ready();
  EXPECT_TRUE(unwound);
}

TEST_F(waiting_greenlets, are_not_left_in_line_when_somebody_else_resumes_them) {
  std::string text;
  greenlet_ptr raw = greenlet::make([&] {
    try {
      yield();
    } catch (const greenlet_error& error) {
      text = error.what();
    }
  });
  raw->resume();
  EXPECT_EQ(loop.ready_count(), 1U);
  raw->resume();
  EXPECT_TRUE(raw->dead());
  EXPECT_EQ(loop.ready_count(), 0U);
  EXPECT_NE(text.find("another than its hub"), std::string::npos) << text;
}

}  // namespace
}  // namespace grove
