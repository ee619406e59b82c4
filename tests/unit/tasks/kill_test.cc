// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/hub_fixture.h"
#include "worker/greenlet/off_stack.h"
#include "worker/tasks/group.h"
#include "worker/tasks/joining.h"
#include "worker/tasks/task.h"
#include "worker/tasks/timeout.h"

namespace grove {
namespace {

using namespace std::chrono_literals;
using killing = hub_fixture;

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

std::exception_ptr shot(const char* text) {
  return std::make_exception_ptr(std::runtime_error(text));
}

/// Adds what ends its waits to `seen`, `times` times, and then ends.
auto survivor(std::string& seen, int times) {
  return [&seen, times] {
    for (int i = 0; i < times; ++i) {
      try {
        sleep_for(1h);
      } catch (const greenlet_exit&) {
        seen += "exit ";
      } catch (const std::runtime_error& error) {
        seen += error.what();
        seen += ' ';
      }
    }
  };
}

TEST_F(killing, is_delivered_each_time_in_the_order_of_the_kills) {
  std::string seen;
  auto victim = spawn(survivor(seen, 5));
  loop.run_ready();
  victim->kill(kill_mode::do_not_wait, shot("first"));
  victim->kill(kill_mode::do_not_wait, shot("second"));
  victim->kill(kill_mode::do_not_wait, shot("first"));
  EXPECT_FALSE(victim->exit_pending());
  victim->kill(kill_mode::do_not_wait);
  EXPECT_TRUE(victim->exit_pending());
  loop.run_ready();
  EXPECT_FALSE(victim->exit_pending());
  EXPECT_EQ(seen, "first second first exit ");
  victim->kill(kill_mode::do_not_wait, shot("last"));
  loop.run_ready();
  EXPECT_EQ(seen, "first second first exit last ");
  EXPECT_TRUE(victim->ready());
}

TEST_F(killing, that_comes_after_the_one_that_ends_the_task_is_nothing) {
  std::string seen;
  auto victim = spawn(survivor(seen, 1));
  loop.run_ready();
  for (int i = 0; i < 3; ++i)
    victim->kill(kill_mode::do_not_wait, shot("shot"));
  loop.run_ready();
  EXPECT_EQ(seen, "shot ");
  EXPECT_TRUE(victim->successful());
  int next_one = 0;  // which may run in the same greenlet
  spawn([&] {
    yield();
    next_one = 1;
  });
  loop.run_ready();
  EXPECT_EQ(next_one, 1);
}

TEST_F(killing, reaches_what_is_done_after_the_one_before) {
  std::string seen;
  auto victim = spawn([&] {
    try {
      sleep_for(1h);
    } catch (const greenlet_exit&) {
      survivor(seen, 1)();
      throw;
    }
  });
  loop.run_ready();
  victim->kill(kill_mode::do_not_wait);
  victim->kill(kill_mode::do_not_wait, shot("cleaning"));
  loop.run_ready();
  EXPECT_EQ(seen, "cleaning ");
  EXPECT_TRUE(victim->exited());
}

TEST_F(killing, waits_for_its_turn_while_the_target_cannot_be_interrupted) {
  std::string seen;
  off_stack<waiter> borrowed(loop);
  auto victim = spawn([&] {
    borrowed->wait_uninterrupted();
    survivor(seen, 3)();
  });
  loop.run_ready();
  victim->kill(kill_mode::do_not_wait, shot("one"));
  victim->kill(kill_mode::do_not_wait, shot("two"));
  victim->kill(kill_mode::do_not_wait);
  loop.run_ready();
  EXPECT_EQ(seen, "");
  borrowed->wake();
  loop.run_ready();
  EXPECT_EQ(seen, "one two exit ");
}

TEST_F(killing, ends_a_task_that_has_handled_one_by_whatever_kills_next) {
  std::string seen;
  const auto hardened = [&] {
    auto task = spawn(survivor(seen, 2));
    loop.run_ready();
    task->kill(kill_mode::do_not_wait);
    loop.run_ready();
    EXPECT_FALSE(task->ready());
    return task;
  };
  auto by_kill = hardened();
  auto by_killall = hardened();
  auto by_group = hardened();
  auto by_scope = hardened();
  auto killer = spawn([&] {
    EXPECT_TRUE(by_kill->kill());
    EXPECT_TRUE(killall(std::vector{by_killall}));
    {
      group all;
      all.add(by_group);
    }
    try {
      const joining scope(by_scope);
      throw std::runtime_error("leaves the scope");
    } catch (const std::runtime_error&) {
      seen += "left";
    }
  });
  loop.run_ready();
  EXPECT_TRUE(killer->ready());
  EXPECT_EQ(seen, "exit exit exit exit exit exit exit exit left");
}

TEST_F(killing, is_not_lost_behind_a_timeout_and_keeps_its_order) {
  std::string seen;
  auto victim = spawn([&] {
    try {
      const timeout limit(1s);
      sleep_for(1h);
    } catch (const timeout_expired&) {
      seen += "timeout ";
    }
    survivor(seen, 2)();
  });
  loop.run_ready();
  time.advance(1s);
  loop.poll();  // the timeout is pending now
  victim->kill(kill_mode::do_not_wait, shot("first"));
  victim->kill(kill_mode::do_not_wait, shot("second"));
  loop.run_ready();
  EXPECT_TRUE(victim->ready());
  EXPECT_EQ(seen, "timeout first second ");
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

TEST_F(killing, itself_without_waiting_throws_at_the_next_wait) {
  std::string seen;
  spawned<void> self;
  self = spawn([&] {
    EXPECT_FALSE(self->kill(kill_mode::do_not_wait));
    seen += "goes on ";
    survivor(seen, 1)();
  });
  spawned<int> quick;
  quick = spawn([&] {
    quick->kill(kill_mode::do_not_wait);
    return 5;  // it never waits
  });
  loop.run_ready();
  EXPECT_EQ(seen, "goes on exit ");
  EXPECT_EQ(quick->get(), 5);
}

TEST_F(killing, itself_gets_what_was_pending_first) {
  std::string seen;
  spawned<void> self;
  self = spawn([&] {
    self->kill(kill_mode::do_not_wait, shot("first"));
    try {
      self->kill(kill_mode::wait, shot("second"));
    } catch (const std::runtime_error& error) {
      seen += error.what();
      seen += ' ';
    }
    survivor(seen, 1)();
  });
  loop.run_ready();
  EXPECT_EQ(seen, "first second ");
}

/// Kills what it has been given when it goes: what a session does with the task that reads for it.
struct killer_at_end {
  task_ptr* victim;
  kill_mode mode = kill_mode::wait;
  explicit killer_at_end(task_ptr& of, kill_mode how = kill_mode::wait) : victim(&of), mode(how) {}
  killer_at_end(const killer_at_end&) = delete;
  killer_at_end& operator=(const killer_at_end&) = delete;
  ~killer_at_end() {
    if (*victim) (*victim)->kill(mode);
  }
};

TEST_F(killing, an_unstarted_one_whose_captures_kill_it_ends_it_once) {
  for (const kill_mode mode : {kill_mode::wait, kill_mode::do_not_wait}) {
    task_ptr reader;
    int ends = 0;
    reader = spawn([session = std::make_shared<killer_at_end>(reader, mode)] {});
    reader->link([&] { ++ends; });
    EXPECT_TRUE(reader->kill(mode));
    EXPECT_EQ(loop.live_tasks(), 0U);
    EXPECT_EQ(loop.join(), loop_end::finished);
    EXPECT_EQ(ends, 1);
  }
}

TEST_F(killing, two_unstarted_ones_that_kill_each_other_ends_both_once) {
  task_ptr first;
  task_ptr second;
  int ends = 0;
  first = spawn([other = std::make_shared<killer_at_end>(second)] {});
  second = spawn([other = std::make_shared<killer_at_end>(first)] {});
  first->link([&] { ++ends; });
  second->link([&] { ++ends; });
  auto killer = spawn([&] { EXPECT_TRUE(first->kill()); });
  loop.run_ready();
  EXPECT_TRUE(killer->ready() && second->exited());
  EXPECT_EQ(ends, 2);
}

TEST_F(killing, by_the_captures_of_a_body_that_has_returned_is_nothing) {
  for (const kill_mode mode : {kill_mode::wait, kill_mode::do_not_wait}) {
    spawned<int> reader;
    task_ptr alias;
    reader = spawn([session = std::make_shared<killer_at_end>(alias, mode)] { return 5; });
    alias = reader;
    loop.run_ready();
    EXPECT_EQ(reader->get(), 5);
    task_ptr failing;
    failing = spawn([session = std::make_shared<killer_at_end>(failing, mode)] { throw std::runtime_error("failed"); });
    loop.run_ready();
    EXPECT_NE(failing->exception(), nullptr);
  }
}

TEST_F(killing, by_a_destructor_in_the_task_itself_throws_nothing_into_it) {
  task_ptr reader;
  bool after = false;
  reader = spawn([&] {
    { const killer_at_end harmless(reader, kill_mode::do_not_wait); }
    after = true;
    const killer_at_end unwound(reader);
    sleep_for(1h);  // ended by the first one
  });
  loop.run_ready();
  EXPECT_TRUE(after);
  EXPECT_TRUE(reader->exited());
}

/// Waits when it goes, and tells.
struct waits_at_end {
  hub& on;
  waiter& until;
  std::string& said;
  waits_at_end(hub& in, waiter& what, std::string& into) : on(in), until(what), said(into) {}
  waits_at_end(const waits_at_end&) = delete;
  waits_at_end& operator=(const waits_at_end&) = delete;
  ~waits_at_end() {
    said += "captures ";
    until.wait();
    said += "gone ";
  }
};

TEST_F(killing, that_was_pending_when_the_body_ended_disturbs_no_destructor) {
  std::string said;
  waiter until(loop);
  task_ptr reader;
  reader = spawn([&, session = std::make_shared<waits_at_end>(loop, until, said)] {
    reader->kill(kill_mode::do_not_wait);
    reader->kill(kill_mode::do_not_wait, shot("second"));
  });
  loop.run_ready();
  auto killer = spawn([&] {
    EXPECT_TRUE(reader->kill());
    said += "killed";
  });
  loop.run_ready();
  EXPECT_EQ(said, "captures ");
  until.wake();
  loop.run_ready();
  EXPECT_EQ(said, "captures gone killed");
  EXPECT_TRUE(killer->ready());
  EXPECT_FALSE(reader->exited());
}

TEST_F(killing, an_unstarted_one_is_over_when_its_captures_have_gone) {
  std::string said;
  waiter until(loop);
  auto reader = spawn_later(1h, [session = std::make_shared<waits_at_end>(loop, until, said)] {});
  auto joiner = spawn([&] {
    reader->join();
    said += "joined";
  });
  loop.run_ready();
  auto killer = spawn([&] { reader->kill(); });
  loop.run_ready();
  EXPECT_FALSE(reader->ready());
  until.wake();
  loop.run_ready();
  EXPECT_EQ(said, "captures gone joined");
  EXPECT_TRUE(killer->ready() && joiner->ready() && reader->exited());
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

}  // namespace
}  // namespace grove
