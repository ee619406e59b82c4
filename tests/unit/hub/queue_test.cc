// SPDX-License-Identifier: Apache-2.0
#include "worker/hub/queue.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/unit/hub/hub_fixture.h"
#include "worker/hub/task.h"

namespace grove {
namespace {

using namespace std::chrono_literals;
using queues = hub_fixture;

TEST_F(queues, keep_the_order) {
  queue<int> items(loop);
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(items.try_push(i));
  EXPECT_EQ(*items.peek(), 0);
  EXPECT_EQ(items.try_pop(), 0);
  EXPECT_EQ(items.try_pop(), 1);
  EXPECT_EQ(items.try_pop(), 2);
  EXPECT_EQ(items.try_pop(), std::nullopt);
}

TEST_F(queues, wake_consumers_in_the_order_of_waiting) {
  queue<int> items(loop);
  std::string order;
  for (const char* name : {"a", "b", "c"}) {
    spawn([&order, &items, name] { order += name + std::to_string(items.pop()); });
  }
  loop.run_ready();
  for (int i = 1; i <= 3; ++i)
    items.push(i);
  loop.run_ready();
  EXPECT_EQ(order, "a1b2c3");
}

TEST_F(queues, hand_an_item_to_who_waits_and_not_to_who_comes_later) {
  queue<int> items(loop);
  auto waiting = spawn([&] { return items.pop(); });
  loop.run_ready();
  items.push(1);
  EXPECT_TRUE(items.empty());
  EXPECT_EQ(items.try_pop(), std::nullopt);
  loop.run_ready();
  EXPECT_EQ(waiting->get(), 1);
}

TEST_F(queues, make_producers_wait_when_full_and_serve_them_in_order) {
  queue<int> items(loop, 2);
  std::string order;
  spawn([&] {
    for (int i = 1; i <= 3; ++i) {
      items.push(i);
      order += "p" + std::to_string(i);
    }
  });
  spawn([&] {
    items.push(9);
    order += "q9";
  });
  loop.run_ready();
  EXPECT_EQ(order, "p1p2");
  EXPECT_TRUE(items.full());
  EXPECT_FALSE(items.try_push(100));
  EXPECT_EQ(items.try_pop(), 1);
  EXPECT_FALSE(items.try_push(100)) << "the place belongs to the producer that waits";
  loop.run_ready();
  EXPECT_EQ(order, "p1p2p3");
  EXPECT_EQ(items.try_pop(), 2);
  EXPECT_EQ(items.try_pop(), 3);
  EXPECT_EQ(items.try_pop(), 9);
  loop.run_ready();
  EXPECT_EQ(order, "p1p2p3q9");
}

TEST_F(queues, time_out_on_both_sides_and_keep_the_item) {
  queue<std::unique_ptr<int>> items(loop, 1);
  auto consumer = spawn([&] { return !items.pop_until(loop.now() + 1s).has_value(); });
  loop.run_ready();
  advance(1s);
  EXPECT_TRUE(consumer->get());
  items.push(std::make_unique<int>(1));
  auto producer = spawn([&] {
    auto mine = std::make_unique<int>(2);
    EXPECT_FALSE(items.push_until(mine, loop.now() + 1s));
    return *mine;
  });
  loop.run_ready();
  advance(1s);
  EXPECT_EQ(producer->get(), 2);
  EXPECT_EQ(items.size(), 1U);
}

TEST_F(queues, lose_nothing_when_a_consumer_is_killed) {
  queue<int> items(loop);
  std::vector<int> got;
  const auto body = [&] { got.push_back(items.pop()); };
  auto first = spawn(body);
  auto second = spawn(body);
  auto third = spawn(body);
  loop.run_ready();
  second->kill(kill_mode::do_not_wait);  // before an item
  items.push(1);                         // handed to the first
  first->kill(kill_mode::do_not_wait);   // after it: the pop completes
  items.push(2);
  loop.run_ready();
  EXPECT_EQ(got, (std::vector{1, 2}));
  EXPECT_TRUE(second->exited());
  EXPECT_TRUE(third->successful());
}

TEST_F(queues, lose_nothing_when_a_consumer_is_dropped_with_an_item_in_hand) {
  queue<int> items(loop);
  greenlet_ptr raw = greenlet::make([&] { items.pop(); });
  raw->resume();
  items.push(1);
  items.push(2);
  raw.reset();
  EXPECT_EQ(items.try_pop(), 1);
  EXPECT_EQ(items.try_pop(), 2);
}

TEST_F(queues, take_nothing_from_a_producer_that_is_killed) {
  queue<int> items(loop, 1);
  items.push(1);
  auto producer = spawn([&] { items.push(2); });
  loop.run_ready();
  producer->kill(kill_mode::do_not_wait);
  loop.run_ready();
  EXPECT_EQ(items.try_pop(), 1);
  EXPECT_EQ(items.try_pop(), std::nullopt);
}

TEST_F(queues, of_no_capacity_are_channels) {
  queue<int> channel(loop, 0);
  EXPECT_FALSE(channel.try_push(1));
  std::string order;
  spawn([&] {
    channel.push(1);
    order += "pushed ";
  });
  loop.run_ready();
  EXPECT_EQ(order, "");
  auto consumer = spawn([&] {
    const int got = channel.pop();
    order += "popped ";
    return got;
  });
  loop.run_ready();
  EXPECT_EQ(consumer->get(), 1);
  EXPECT_EQ(order, "popped pushed ");
}

TEST_F(queues, share_fairly_among_consumers) {
  queue<int> items(loop, 4);
  std::vector<int> counts(3);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    spawn([&items, &count = counts[i]] {
      while (items.pop() >= 0)
        ++count;
    });
  }
  spawn([&] {
    for (int i = 0; i < 300; ++i) {
      items.push(i);
      yield();
    }
    for (int i = 0; i < 3; ++i)
      items.push(-1);
  });
  loop.run_ready();
  EXPECT_EQ(counts, (std::vector{100, 100, 100}));
}

}  // namespace
}  // namespace grove
