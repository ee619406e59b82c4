// SPDX-License-Identifier: Apache-2.0
#include "worker/tasks/pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/hub_fixture.h"
#include "worker/tasks/event.h"
#include "worker/tasks/timeout.h"

namespace grove {
namespace {

using namespace std::chrono_literals;
using pools = hub_fixture;

TEST_F(pools, make_spawn_wait_while_they_are_full) {
  pool two(2);
  event go(loop);
  std::string order;
  spawn([&] {
    for (const char* name : {"a", "b", "c"}) {
      two.spawn([&order, &go, name] {
        order += name;
        go.wait();
      });
    }
    order += " spawned";
  });
  loop.run_ready();
  EXPECT_EQ(order, "ab");
  EXPECT_TRUE(two.full());
  EXPECT_EQ(two.free_count(), 0U);
  go.set();
  loop.run_ready();
  EXPECT_EQ(order, "ab spawnedc");
  EXPECT_EQ(two.free_count(), two.size_max());
}

TEST_F(pools, refuse_when_full_if_told_not_to_wait_or_only_for_a_time) {
  pool one(1);
  auto first = one.try_spawn([] { sleep_for(5s); });
  ASSERT_TRUE(first);
  EXPECT_FALSE(one.try_spawn([] { return 1; }));
  auto other = spawn([] { sleep_for(1s); });
  EXPECT_FALSE(one.try_add(other));
  EXPECT_TRUE(one.try_add(first)) << "it is a member";
  auto waiting = spawn([&] {
    EXPECT_FALSE(one.spawn_until(time_after(loop.now(), 1s), [] {}));
    EXPECT_FALSE(one.add_until(other, time_after(loop.now(), 1s)));
    EXPECT_FALSE(one.wait_available(time_after(loop.now(), 1s)));
    EXPECT_EQ(with_timeout(1s, [&] { return one.spawn([] {}); }), std::nullopt);
    EXPECT_FALSE(with_timeout(1s, [&] { one.add(other); }));
    EXPECT_TRUE(one.spawn_until(time_after(loop.now(), 1s), [] {})) << "the member has finished";
  });
  loop.run_ready();
  for (int i = 0; i < 5; ++i)
    advance(1s);
  EXPECT_TRUE(waiting->ready());
  EXPECT_EQ(one.free_count(), 1U);
}

TEST_F(pools, get_a_place_back_exactly_once) {
  pool two(2);
  EXPECT_TRUE(two.try_spawn([] {})->kill()) << "before the start";
  loop.run_ready();
  auto running = two.try_spawn([] { sleep_for(1h); });
  auto discarded = two.try_spawn([] { yield(); });
  loop.poll();
  EXPECT_EQ(two.free_count(), 0U);
  EXPECT_TRUE(two.discard(discarded));
  EXPECT_EQ(two.free_count(), 1U);
  running->kill(kill_mode::do_not_wait);
  loop.run_ready();
  EXPECT_EQ(two.free_count(), 2U);
  auto done = spawn([] {});
  loop.run_ready();
  EXPECT_TRUE(two.try_add(done));
  loop.run_ready();
  EXPECT_EQ(two.free_count(), 2U);
}

TEST_F(pools, start_a_task_when_there_is_a_place_for_it) {
  pool one(1);
  auto first = make_task_on(loop, [] { yield(); });
  auto second = make_task_on(loop, [&] { EXPECT_TRUE(first->ready()); });
  auto starter = spawn([&] {
    one.start(first);
    EXPECT_TRUE(first->started());
    one.start(second);
  });
  loop.run_ready();
  EXPECT_TRUE(starter->ready());
  EXPECT_TRUE(second->successful());
}

TEST_F(pools, lose_no_place_to_a_spawner_that_is_killed) {
  pool one(1);
  auto member = one.try_spawn([] { sleep_for(1s); });
  bool ran = false;
  auto spawner = spawn([&] { one.spawn([&] { ran = true; }); });
  loop.run_ready();
  spawner->kill(kill_mode::do_not_wait);
  loop.run_ready();
  EXPECT_TRUE(spawner->exited());
  advance(1s);
  EXPECT_FALSE(ran);
  EXPECT_EQ(one.free_count(), 1U);
}

TEST_F(pools, of_no_size_make_wait_for_ever) {
  pool none(0);
  EXPECT_TRUE(none.full());
  EXPECT_FALSE(none.try_spawn([] {}));
  auto spawner = spawn([&] { none.spawn([] {}); });
  auto waiting = spawn([&] { return none.wait_available(time_after(loop.now(), 1s)); });
  loop.run_ready();
  advance(1s);
  EXPECT_FALSE(waiting->get());
  advance(24h);
  EXPECT_FALSE(spawner->ready());
  spawner->kill(kill_mode::do_not_wait);
}

TEST_F(pools, tell_when_a_place_is_free_and_do_not_take_it) {
  pool one(1);
  one.try_spawn([] { sleep_for(1s); })->set_name("member");
  std::vector<spawned<std::size_t>> waiting;
  for (int i = 0; i < 2; ++i) {
    waiting.push_back(spawn([&] {
      EXPECT_TRUE(one.wait_available());
      return one.free_count();
    }));
  }
  loop.run_ready();
  EXPECT_FALSE(waiting[0]->ready());
  advance(1s);
  for (auto& at : waiting)
    EXPECT_EQ(at->get(), 1U);
}

TEST_F(pools, serve_spawners_in_the_order_of_arrival) {
  pool one(1);
  std::string order;
  for (const char* name : {"a", "b", "c"}) {
    spawn([&order, &one, name] {
      one.spawn([&order, name] {
        order += name;
        yield();
      });
    });
  }
  loop.run_ready();
  EXPECT_EQ(order, "abc");
}

TEST_F(pools, apply_gives_the_value_or_the_error) {
  pool one(1);
  auto caller = spawn([&] {
    EXPECT_EQ(one.apply([] { return 5; }), 5);
    one.apply([] {});
    EXPECT_THROW(one.apply([]() -> int { throw std::runtime_error("failed"); }), std::runtime_error);
    return one.free_count();
  });
  loop.run_ready();
  EXPECT_EQ(caller->get(), 1U);
}

TEST_F(pools, apply_of_a_member_calls_by_itself) {
  pool one(1);
  auto caller = spawn([&] { return one.apply([&] { return one.apply([] { return 5; }); }); });
  loop.run_ready();
  EXPECT_EQ(caller->get(), 5);
}

TEST_F(pools, async_apply_never_waits) {
  pool one(1);
  std::vector<spawned<int>> all;
  for (int i = 0; i < 3; ++i)
    all.push_back(one.async_apply([i] {
      sleep_for(1s);
      return i;
    }));
  int linked = 0;
  all[2]->link([&](task_base&) { ++linked; });
  for (int i = 0; i < 3; ++i) {
    loop.run_ready();
    advance(1s);
    EXPECT_EQ(all[static_cast<std::size_t>(i)]->get(), i);
  }
  EXPECT_EQ(linked, 1);
}

TEST_F(pools, that_end_let_no_spawner_in) {
  auto one = std::make_unique<pool>(1U);
  one->try_spawn([] { sleep_for(1h); })->set_name("member");
  auto spawner = spawn([&] { one->spawn([] {}); });
  loop.run_ready();
  one.reset();
  loop.run_ready();
  EXPECT_THROW(spawner->get(), greenlet_error);
}

TEST_F(pools, run_many_with_few_at_a_time) {
  pool four(4);
  int running = 0;
  int running_max = 0;
  auto spawner = spawn([&] {
    for (int i = 0; i < 100; ++i) {
      four.spawn([&, i] {
        running_max = std::max(running_max, ++running);
        sleep_for(std::chrono::milliseconds(i % 7));
        --running;
      });
    }
    four.join();
  });
  for (int i = 0; i < 400 && !spawner->ready(); ++i)
    advance(1ms);
  EXPECT_TRUE(spawner->ready());
  EXPECT_EQ(running_max, 4);
}

}  // namespace
}  // namespace grove
