// SPDX-License-Identifier: Apache-2.0
#include "worker/tasks/group.h"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/hub_fixture.h"
#include "worker/tasks/event.h"
#include "worker/tasks/timeout.h"

namespace grove {
namespace {

using namespace std::chrono_literals;
using groups = hub_fixture;
using joining_all = hub_fixture;
using killing_all = hub_fixture;

std::exception_ptr shot() {
  return std::make_exception_ptr(std::runtime_error("shot"));
}

TEST_F(groups, lose_their_members_as_they_finish) {
  group all;
  auto fast = all.spawn([] {});
  auto slow = all.spawn([] { sleep_for(1s); });
  EXPECT_EQ(all.size(), 2U);
  EXPECT_TRUE(all.contains(fast));
  loop.run_ready();
  EXPECT_FALSE(all.contains(fast));
  ASSERT_EQ(all.members().size(), 1U);
  EXPECT_EQ(all.members()[0].get(), slow.get());
  advance(1s);
  EXPECT_TRUE(all.empty());
}

TEST_F(groups, lose_members_whose_links_have_all_been_taken_away) {
  group all;
  auto member = all.spawn([] { sleep_for(1s); });
  auto joiner = spawn([&] { return joinall(std::vector<task_ptr>{member}).size(); });
  loop.run_ready();
  bool called = false;
  member->link([&] { called = true; });
  member->unlink_all();
  advance(1s);
  EXPECT_TRUE(all.empty());
  EXPECT_EQ(joiner->get(), 1U);
  EXPECT_FALSE(called);
}

TEST_F(groups, have_no_member_that_a_greenlet_has_joined) {
  group all;
  auto member = all.spawn([] { yield(); });
  auto joiner = spawn([&] {
    member->join();
    return all.size();
  });
  loop.run_ready();
  EXPECT_EQ(joiner->get(), 0U);
}

TEST_F(groups, take_and_discard_tasks_that_there_are) {
  group all;
  auto task = spawn([] { sleep_for(1s); });
  auto done = spawn([] {});
  all.add(task);
  all.add(task);
  EXPECT_EQ(all.size(), 1U);
  loop.run_ready();
  all.add(done);
  loop.run_ready();
  EXPECT_FALSE(all.contains(done));
  EXPECT_TRUE(all.discard(task));
  EXPECT_FALSE(all.discard(task));
  EXPECT_TRUE(all.empty());
  advance(1s);
  EXPECT_FALSE(task->exited());
}

TEST_F(groups, join_waits_for_the_members_or_its_time) {
  group all;
  all.spawn([] { sleep_for(1s); });
  all.spawn([] { sleep_for(3s); });
  auto joiner = spawn([&] {
    EXPECT_FALSE(all.join(time_after(loop.now(), 2s)));
    EXPECT_TRUE(all.join());
    EXPECT_TRUE(all.join());
  });
  loop.run_ready();
  advance(2s);
  EXPECT_EQ(all.size(), 1U);
  EXPECT_FALSE(joiner->ready());
  advance(1s);
  EXPECT_TRUE(joiner->ready());
  EXPECT_TRUE(group().join()) << "an empty one does not wait";
}

TEST_F(groups, join_throws_the_first_error_in_the_order_of_adding_if_asked) {
  group all;
  all.spawn([] {
    sleep_for(2s);
    throw std::runtime_error("first");
  });
  all.spawn([] { throw std::runtime_error("second"); });
  auto joiner = spawn([&] { all.join(std::nullopt, task_errors::raise); });
  loop.run_ready();
  EXPECT_FALSE(joiner->ready());
  advance(2s);
  try {
    joiner->get();
    ADD_FAILURE();
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "first");
  }
  expected_errors = {"a spawned greenlet: second"};
}

TEST_F(groups, leave_errors_that_nobody_asks_for_to_the_handler) {
  group all;
  all.spawn([] { throw std::runtime_error("unseen"); });
  spawn([&] { all.join(); });
  loop.run_ready();
  expected_errors = {"a spawned greenlet: unseen"};
}

TEST_F(groups, cannot_be_joined_by_a_member) {
  group all;
  auto member = all.spawn([&] { EXPECT_THROW(all.join(), greenlet_error); });
  loop.run_ready();
  EXPECT_TRUE(member->ready());
}

TEST_F(groups, kill_empties_them_newcomers_included) {
  group all;
  bool ran = false;
  auto started = all.spawn([&] {
    try {
      sleep_for(1h);
    } catch (const greenlet_exit&) {
      all.spawn([&] { ran = true; });
      sleep_for(1s);
      throw;
    }
  });
  auto killer = spawn([&] { return all.kill(); });
  loop.run_ready();
  auto unstarted = all.spawn([&] { ran = true; });
  loop.run_ready();
  EXPECT_FALSE(killer->ready());
  EXPECT_TRUE(unstarted->exited());
  advance(1s);
  EXPECT_TRUE(killer->get());
  EXPECT_TRUE(started->exited());
  EXPECT_TRUE(all.empty());
  EXPECT_FALSE(ran);
}

TEST_F(groups, kill_may_be_limited_or_not_wait) {
  group all;
  all.spawn([] {
    try {
      sleep_for(1h);
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "shot");
      sleep_for(2s);
    }
  });
  loop.run_ready();
  EXPECT_FALSE(all.kill(kill_mode::do_not_wait, shot()));
  auto killer = spawn([&] { EXPECT_FALSE(all.kill(kill_mode::wait, nullptr, time_after(loop.now(), 1s))); });
  loop.run_ready();
  advance(1s);
  EXPECT_TRUE(killer->ready());
  advance(1s);
  EXPECT_TRUE(all.empty()) << "the second kill was ignored";
}

TEST_F(groups, killed_by_a_member_kill_it_last) {
  group all;
  bool after = false;
  auto self = all.spawn([&] {
    yield();
    all.kill();
    after = true;
  });
  auto other = all.spawn([] { sleep_for(1h); });
  loop.run_ready();
  EXPECT_TRUE(self->exited());
  EXPECT_TRUE(other->exited());
  EXPECT_FALSE(after);
}

TEST_F(groups, kill_a_member_once_and_at_their_end_once_more) {
  int caught = 0;
  task_ptr member;
  auto owner = spawn([&] {
    group all;
    member = all.spawn([&] {
      for (int i = 0; i < 3; ++i) {
        try {
          sleep_for(1h);
        } catch (const greenlet_exit&) {
          ++caught;
        }
      }
    });
    yield();
    for (int i = 0; i < 3; ++i) {
      all.kill_one(member, kill_mode::do_not_wait);
      all.kill(kill_mode::do_not_wait);
      EXPECT_FALSE(all.kill(kill_mode::wait, nullptr, loop.now()));
      yield();
    }
    EXPECT_EQ(caught, 1);
    member->kill(kill_mode::do_not_wait);
    yield();
    EXPECT_EQ(caught, 2);
  });
  loop.run_ready();
  EXPECT_TRUE(owner->ready() && member->ready());
  EXPECT_EQ(caught, 3);
}

TEST_F(groups, end_members_whose_captures_end_other_members) {
  task_ptr first;
  task_ptr second;
  const auto ends = [](task_ptr& other) {
    return std::shared_ptr<task_ptr>(&other, [](task_ptr* at) {
      if (*at) (*at)->kill(kill_mode::do_not_wait);
    });
  };
  {
    group all;
    first = all.spawn([owned = ends(second)] {});
    second = all.spawn([owned = ends(first)] {});
  }
  loop.run_ready();
  EXPECT_TRUE(first->exited() && second->exited());
}

TEST_F(groups, kill_one_kills_members_only) {
  group all;
  auto member = all.spawn([] { sleep_for(1h); });
  auto other = spawn([] { sleep_for(1s); });
  loop.run_ready();
  auto killer = spawn([&] {
    EXPECT_TRUE(all.kill_one(member));
    EXPECT_FALSE(all.kill_one(other));
  });
  loop.run_ready();
  EXPECT_TRUE(killer->ready());
  EXPECT_TRUE(member->exited());
  advance(1s);
  EXPECT_FALSE(other->exited());
}

TEST_F(groups, end_with_their_scope_and_the_members_before) {
  std::string order;
  auto scope = spawn([&] {
    const timeout limit(2s);
    {
      group all;
      all.spawn([&] {
        try {
          sleep_for(1h);
        } catch (const greenlet_exit&) {
          sleep_for(5s);
          order += "member ";
          throw;
        }
      });
      sleep_for(1ms);
      all.spawn([&] { order += "never runs"; });
    }
    order += "scope ";
    EXPECT_THROW(yield(), timeout_expired) << "kept while the destructor waited";
  });
  loop.run_ready();
  advance(1ms);
  advance(5s);
  EXPECT_EQ(order, "member scope ");
  EXPECT_TRUE(scope->ready());
}

TEST_F(groups, that_end_in_the_hub_kill_without_waiting) {
  spawned<void> member;
  {
    group all;
    member = all.spawn([] { sleep_for(1h); });
    loop.run_ready();
  }
  EXPECT_FALSE(member->ready());
  loop.run_ready();
  EXPECT_TRUE(member->exited());
}

TEST_F(groups, that_end_in_a_dropped_greenlet_kill_without_waiting) {
  spawned<void> member;
  greenlet_ptr raw = greenlet::make([&] {
    group all;
    member = all.spawn([] { sleep_for(1h); });
    sleep_for(1h);
  });
  raw->resume();
  raw.reset();
  loop.run_ready();
  EXPECT_TRUE(member->exited());
}

TEST_F(groups, that_a_member_ends_do_not_wait_for_it) {
  auto all = std::make_unique<group>();
  auto member = all->spawn([&] {
    all.reset();
    return 1;
  });
  loop.run_ready();
  EXPECT_EQ(member->get(), 1);
}

TEST_F(joining_all, gives_the_finished_ones_in_the_order_of_their_ends) {
  std::vector<spawned<void>> tasks;
  for (const auto delay : {3s, 1s, 0s})
    tasks.push_back(spawn([delay] { sleep_for(delay); }));
  loop.run_ready();
  auto limited = spawn([&] { return joinall(tasks, {.until = time_after(loop.now(), 2s)}); });
  auto two = spawn([&] { return joinall(tasks, {.count = 2}); });
  auto whole = spawn([&] { return joinall(tasks); });
  for (int i = 0; i < 4; ++i)
    advance(1s);
  for (const auto& got : {limited->get(), two->get()}) {
    ASSERT_EQ(got.size(), 2U);
    EXPECT_EQ(got[0].get(), tasks[2].get());
    EXPECT_EQ(got[1].get(), tasks[1].get());
  }
  EXPECT_EQ(whole->get().size(), 3U);
}

TEST_F(joining_all, never_gives_more_than_were_asked_for) {
  std::vector<task_ptr> tasks = {spawn([] {}), spawn([] {}), spawn([] { throw std::runtime_error("not looked at"); })};
  loop.run_ready();
  EXPECT_EQ(joinall(tasks, {.count = 0}).size(), 0U);
  EXPECT_EQ(joinall(tasks, {.errors = task_errors::raise, .count = 2}).size(), 2U);
  EXPECT_EQ(joinall(tasks, {.count = 5}).size(), 3U);
  EXPECT_EQ(joinall(std::vector{tasks[0], tasks[0]}, {.count = 1}).size(), 1U);
  auto together = spawn([] {
    const std::vector<task_ptr> at_once = {spawn([] {}), spawn([] {}), spawn([] {})};
    return joinall(at_once, {.count = 1}).size();
  });
  loop.run_ready();
  EXPECT_EQ(together->get(), 1U);
  expected_errors = {"a spawned greenlet: not looked at"};
}

TEST_F(joining_all, does_not_wait_for_what_has_finished) {
  EXPECT_TRUE(joinall(std::vector<task_ptr>()).empty());
  const std::vector done = {spawn([] {})};
  loop.run_ready();
  EXPECT_EQ(joinall(done).size(), 1U);
}

TEST_F(joining_all, throws_the_first_error_at_once_if_asked) {
  const std::vector tasks = {spawn([] { sleep_for(5s); }), spawn([] {
                               sleep_for(1s);
                               throw std::runtime_error("failed");
                             })};
  auto raising = spawn([&] { joinall(tasks, {.errors = task_errors::raise}); });
  auto keeping = spawn([&] { return joinall(tasks).size(); });
  loop.run_ready();
  advance(1s);
  EXPECT_THROW(raising->get(), std::runtime_error);
  EXPECT_FALSE(keeping->ready());
  advance(4s);
  EXPECT_EQ(keeping->get(), 2U);
}

TEST_F(joining_all, that_is_killed_leaves_the_tasks_alone) {
  const std::vector tasks = {spawn([] { sleep_for(1s); })};
  auto joiner = spawn([&] { joinall(tasks); });
  loop.run_ready();
  joiner->kill(kill_mode::do_not_wait);
  loop.run_ready();
  EXPECT_TRUE(joiner->exited());
  advance(1s);
  EXPECT_FALSE(tasks[0]->exited());
}

TEST_F(killing_all, kills_started_and_unstarted_ones_each_time) {
  int caught = 0;
  const std::vector tasks = {spawn([&] {
                               for (int i = 0; i < 2; ++i) {
                                 try {
                                   sleep_for(1h);
                                 } catch (const std::runtime_error&) {
                                   ++caught;
                                 }
                               }
                             }),
                             spawn_later(1h, [&] { caught += 100; })};
  loop.run_ready();
  EXPECT_FALSE(killall(tasks, {.mode = kill_mode::do_not_wait, .thrown = shot()}));
  EXPECT_TRUE(tasks[1]->ready());
  loop.run_ready();
  EXPECT_EQ(caught, 1);
  auto killer = spawn([&] { return killall(tasks, {.thrown = shot()}); });
  loop.run_ready();
  EXPECT_TRUE(killer->get());
  EXPECT_EQ(caught, 2);
  EXPECT_NE(tasks[1]->exception(), nullptr);
}

TEST_F(killing_all, of_whom_the_caller_is_one_ends_it_last) {
  for (const kill_mode mode : {kill_mode::wait, kill_mode::do_not_wait}) {
    std::vector<task_ptr> tasks;
    std::string seen;
    tasks.push_back(spawn([&] {
      yield();
      killall(tasks, {.mode = mode});
      seen += "goes on ";
      sleep_for(1h);
      seen += "never";
    }));
    tasks.push_back(spawn([] { sleep_for(1h); }));
    loop.run_ready();
    EXPECT_TRUE(tasks[0]->exited() && tasks[1]->exited());
    EXPECT_EQ(seen, mode == kill_mode::wait ? "" : "goes on ");
  }
}

TEST_F(killing_all, gives_up_waiting_at_its_time) {
  const std::vector tasks = {spawn([] {
    try {
      sleep_for(1h);
    } catch (const greenlet_exit&) {
      sleep_for(3s);
    }
  })};
  loop.run_ready();
  auto killer = spawn([&] { return killall(tasks, {.until = time_after(loop.now(), 1s)}); });
  loop.run_ready();
  advance(1s);
  EXPECT_FALSE(killer->get());
  advance(2s);
  EXPECT_TRUE(tasks[0]->ready());
}

}  // namespace
}  // namespace grove
