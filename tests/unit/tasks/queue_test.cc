// SPDX-License-Identifier: Apache-2.0
#include "worker/tasks/queue.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/hub_fixture.h"
#include "worker/tasks/task.h"

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
  auto consumer = spawn([&] { return !items.pop_until(time_after(loop.now(), 1s)).has_value(); });
  loop.run_ready();
  advance(1s);
  EXPECT_TRUE(consumer->get());
  items.push(std::make_unique<int>(1));
  auto producer = spawn([&] {
    auto mine = std::make_unique<int>(2);
    EXPECT_FALSE(items.push_until(mine, time_after(loop.now(), 1s)));
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

TEST_F(queues, that_have_no_capacity_are_empty_and_full) {
  channel<int> meeting(loop);
  EXPECT_TRUE(meeting.empty());
  EXPECT_TRUE(meeting.full());
  auto consumer = spawn([&] { return meeting.pop(); });
  loop.run_ready();
  EXPECT_TRUE(meeting.try_push(1)) << "somebody waits for it";
  EXPECT_FALSE(meeting.try_push(2));
  loop.run_ready();
  EXPECT_EQ(consumer->get(), 1);
  EXPECT_EQ(meeting.unfinished(), 1U);
}

TEST_F(queues, of_other_orders_give_the_last_or_the_least_first) {
  lifo_queue<int> stack(loop);
  ordered_queue<int> least(loop);
  ordered_queue<std::string, std::greater<>> greatest(loop);
  for (int i : {2, 3, 1}) {
    stack.push(i);
    least.push(i);
    greatest.push(std::to_string(i));
  }
  EXPECT_EQ(*least.peek(), 1);
  EXPECT_EQ(*greatest.peek(), "3");
  for (int i : {1, 3, 2})
    EXPECT_EQ(stack.pop(), i);
  for (int i : {1, 2, 3}) {
    EXPECT_EQ(least.pop(), i);
    EXPECT_EQ(greatest.pop(), std::to_string(4 - i));
  }
}

TEST_F(queues, of_other_orders_serve_their_waiters_in_order_too) {
  ordered_queue<int> least(loop, 1);
  std::string order;
  for (int i : {5, 9, 1}) {
    spawn([&, i] {
      least.push(i);
      order += "p" + std::to_string(i);
    });
  }
  loop.run_ready();
  EXPECT_EQ(order, "p5");
  for (int i : {5, 9, 1})
    EXPECT_EQ(least.try_pop(), i) << "a producer that waits has no part in the order yet";
  loop.run_ready();
  EXPECT_EQ(order, "p5p9p1");
}

TEST_F(queues, let_the_hub_do_what_need_not_wait) {
  queue<int> one(loop, 1);
  one.push(1);
  EXPECT_THROW(one.push(2), blocking_in_hub);
  int mine = 3;
  EXPECT_FALSE(one.push_until(mine, loop.now()));
  EXPECT_THROW((void)one.push_until(mine, time_after(loop.now(), 1s)), blocking_in_hub);
  EXPECT_EQ(mine, 3);
  EXPECT_EQ(one.pop(), 1);
  EXPECT_THROW(one.pop(), blocking_in_hub);
  EXPECT_EQ(one.pop_until(loop.now()), std::nullopt);
}

TEST_F(queues, show_the_next_item_to_who_waits_for_it) {
  queue<int> items(loop);
  auto looking = spawn([&] { return *items.front(); });
  auto too_short = spawn([&] { return items.front(time_after(loop.now(), 1s)) == nullptr; });
  loop.run_ready();
  advance(1s);
  EXPECT_TRUE(too_short->get());
  auto taking = spawn([&] { return items.pop(); });
  loop.run_ready();
  items.push(1);  // into the hands of who takes
  loop.run_ready();
  EXPECT_EQ(taking->get(), 1);
  EXPECT_FALSE(looking->ready());
  items.push(2);
  loop.run_ready();
  EXPECT_EQ(looking->get(), 2);
  EXPECT_EQ(items.size(), 1U);
}

TEST_F(queues, are_joined_when_all_items_are_done) {
  queue<int> items(loop);
  EXPECT_THROW(items.task_done(), synchronisation_error);
  EXPECT_TRUE(items.join());
  int served = 0;
  for (int i = 0; i < 2; ++i) {
    spawn([&] {
      for ([[maybe_unused]] int item : items) {
        sleep_for(1s);
        ++served;
        items.task_done();
      }
    });
  }
  auto joining = spawn([&] {
    for (int i = 0; i < 4; ++i)
      items.push(i);
    EXPECT_FALSE(items.join(time_after(loop.now(), 1s)));
    EXPECT_TRUE(items.join());
    return served;
  });
  loop.run_ready();
  advance(1s);
  EXPECT_FALSE(joining->ready());
  advance(1s);
  EXPECT_EQ(joining->get(), 4);
  items.shut_down();
  loop.run_ready();
}

TEST_F(queues, that_are_shut_down_give_what_is_left) {
  queue<int> items(loop, 2);
  items.push(1);
  items.push(2);
  auto producer = spawn([&] {
    int mine = 3;
    EXPECT_THROW((void)items.push_until(mine, time_after(loop.now(), 1h)), queue_shut_down);
    return mine;
  });
  loop.run_ready();
  items.shut_down();
  loop.run_ready();
  EXPECT_EQ(producer->get(), 3) << "the item stays with its producer";
  EXPECT_THROW((void)items.try_push(4), queue_shut_down);
  EXPECT_THROW(items.push(4), queue_shut_down);
  EXPECT_EQ(*items.front(), 1);
  EXPECT_EQ(items.pop(), 1);
  EXPECT_EQ(items.try_pop(), 2);
  EXPECT_THROW((void)items.try_pop(), queue_shut_down);
  EXPECT_THROW((void)items.pop_until(loop.now()), queue_shut_down);
  EXPECT_THROW(items.pop(), queue_shut_down);
  EXPECT_THROW((void)items.front(), queue_shut_down);
  EXPECT_EQ(items.next(), std::nullopt);
}

TEST_F(queues, that_are_shut_down_fail_waiting_consumers) {
  queue<int> items(loop);
  auto taking = spawn([&] { EXPECT_THROW(items.pop(), queue_shut_down); });
  auto timed = spawn([&] { EXPECT_THROW((void)items.pop_until(time_after(loop.now(), 1h)), queue_shut_down); });
  auto looking = spawn([&] { EXPECT_THROW((void)items.front(), queue_shut_down); });
  auto in_hand = spawn([&] { return items.next(); });
  auto iterating = spawn([&] {
    int sum = 0;
    for (int item : items)
      sum += item;
    return sum;
  });
  loop.run_ready();
  items.shut_down(queue_shutdown::discard);
  items.shut_down();
  loop.run_ready();
  for (const auto& each : {taking, timed, looking})
    EXPECT_TRUE(each->ready());
  EXPECT_EQ(in_hand->get(), std::nullopt);
  EXPECT_EQ(iterating->get(), 0);
}

TEST_F(queues, that_are_shut_down_at_once_discard_their_items_as_done) {
  queue<int> items(loop);
  for (int i = 0; i < 3; ++i)
    items.push(i);
  EXPECT_EQ(items.pop(), 0);
  auto joining = spawn([&] { return items.join(); });
  loop.run_ready();
  items.shut_down(queue_shutdown::discard);
  EXPECT_TRUE(items.empty());
  EXPECT_EQ(items.unfinished(), 1U) << "one has been taken and is not done";
  loop.run_ready();
  EXPECT_FALSE(joining->ready());
  items.task_done();
  loop.run_ready();
  EXPECT_TRUE(joining->get());
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
