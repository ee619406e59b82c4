// SPDX-License-Identifier: Apache-2.0
#include "worker/hub/uninterrupted.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/hub_fixture.h"
#include "worker/greenlet/big_stack.h"
#include "worker/greenlet/generator.h"
#include "worker/tasks/event.h"
#include "worker/tasks/semaphore.h"
#include "worker/tasks/task.h"
#include "worker/tasks/timeout.h"

namespace grove {
namespace {

using namespace std::chrono_literals;

class uninterrupted_scopes : public hub_fixture {
 protected:
  std::vector<std::string> log;
};

/// Something that is cleaned up by a call.
class cleaned_up {
 public:
  explicit cleaned_up(std::function<void()> by) : by_(std::move(by)) {}
  cleaned_up(const cleaned_up&) = delete;
  cleaned_up& operator=(const cleaned_up&) = delete;
  ~cleaned_up() { by_(); }

 private:
  std::function<void()> by_;
};

TEST_F(uninterrupted_scopes, keep_a_kill_for_the_first_wait_after_them) {
  auto task = spawn([&] {
    {
      const uninterrupted whole;
      EXPECT_TRUE(uninterrupted::in_force());
      sleep_for(2s);
      yield();
      log.emplace_back("whole");
    }
    EXPECT_FALSE(uninterrupted::in_force());
    sleep_for(1s);
    log.emplace_back("never");
  });
  loop.run_ready();
  task->kill(kill_mode::do_not_wait);
  loop.run_ready();
  EXPECT_FALSE(task->ready());
  advance(2s);
  EXPECT_TRUE(task->exited());
  EXPECT_EQ(log, std::vector<std::string>{"whole"});
}

TEST_F(uninterrupted_scopes, keep_a_time_out_from_outside_and_let_those_from_inside_fire) {
  auto task = spawn([&] {
    timeout outer(1s);
    try {
      {
        const uninterrupted whole;
        EXPECT_FALSE(with_timeout(3s, [] { sleep_for(1h); })) << "made inside";
        log.emplace_back("cleaned up");
      }
      sleep_for(1h);
    } catch (const timeout_expired& thrown) {
      EXPECT_TRUE(outer.owns(thrown));
      log.emplace_back("outer");
    }
  });
  loop.run_ready();
  advance(1s);
  EXPECT_TRUE(log.empty());
  advance(2s);
  EXPECT_EQ(log, (std::vector<std::string>{"cleaned up", "outer"}));
  EXPECT_TRUE(task->successful());
}

TEST_F(uninterrupted_scopes, let_a_time_out_from_inside_fire_behind_a_kill_that_is_kept) {
  auto task = spawn([&] {
    const uninterrupted whole;
    EXPECT_FALSE(with_timeout(3s, [] { sleep_for(1h); }));
    log.emplace_back("cleaned up");
  });
  loop.run_ready();
  task->kill(kill_mode::do_not_wait);
  advance(3s);
  EXPECT_EQ(log, std::vector<std::string>{"cleaned up"});
  EXPECT_TRUE(task->ready());
}

TEST_F(uninterrupted_scopes, nest_and_a_time_out_between_two_is_kept_by_the_inner_one) {
  auto task = spawn([&] {
    const uninterrupted outer;
    timeout between(1s);
    {
      const uninterrupted inner;
      sleep_for(2s);
      log.emplace_back("inner");
    }
    EXPECT_THROW(sleep_for(1h), timeout_expired);
  });
  loop.run_ready();
  advance(1s);
  EXPECT_TRUE(log.empty());
  advance(1s);
  EXPECT_EQ(log, std::vector<std::string>{"inner"});
  EXPECT_TRUE(task->successful());
}

TEST_F(uninterrupted_scopes, keep_the_place_in_a_line) {
  semaphore permits(loop, 0);
  auto task = spawn([&] {
    const uninterrupted whole;
    permits.acquire();
    log.emplace_back("acquired");
  });
  loop.run_ready();
  task->kill(kill_mode::do_not_wait);
  loop.run_ready();
  permits.release();
  loop.run_ready();
  EXPECT_EQ(log, std::vector<std::string>{"acquired"});
}

TEST_F(uninterrupted_scopes, are_in_force_in_destructors_while_the_stack_unwinds) {
  auto task = spawn([&] {
    const timeout limit(1s);
    const cleaned_up last([&] {
      EXPECT_TRUE(uninterrupted::in_force());
      sleep_for(1s);
      log.emplace_back("last");
    });
    const cleaned_up first([&] {
      sleep_for(1s);
      EXPECT_FALSE(with_timeout(1s, [] { sleep_for(1h); }));
      log.emplace_back("first");
    });
    throw std::runtime_error("failed");
  });
  (void)task->exception();  // somebody looks at it: it is not reported
  loop.run_ready();
  task->kill(kill_mode::do_not_wait);
  for (int i = 0; i < 3; ++i)
    advance(1s);
  EXPECT_EQ(log, (std::vector<std::string>{"first", "last"}));
  EXPECT_FALSE(task->exited()) << "it had failed before";
}

TEST_F(uninterrupted_scopes, are_in_force_on_other_stacks_of_an_unwinding_one) {
  auto task = spawn([&] {
    const cleaned_up big([&] {
      on_big_stack([&] {
        EXPECT_TRUE(uninterrupted::in_force());
        sleep_for(1s);
        log.emplace_back("big");
      });
    });
    const timeout limit(1s);
    sleep_for(1h);
  });
  (void)task->exception();
  loop.run_ready();
  advance(1s);
  task->kill(kill_mode::do_not_wait);
  advance(1s);
  EXPECT_EQ(log, std::vector<std::string>{"big"});
}

TEST_F(uninterrupted_scopes, end_where_an_exception_is_caught) {
  auto task = spawn([&] {
    try {
      throw std::runtime_error("failed");
    } catch (const std::runtime_error&) {
      EXPECT_FALSE(uninterrupted::in_force());
      sleep_for(1h);
    }
  });
  loop.run_ready();
  task->kill(kill_mode::do_not_wait);
  loop.run_ready();
  EXPECT_TRUE(task->exited());
}

TEST_F(uninterrupted_scopes, belong_to_a_generator_and_not_to_whoever_reads_it) {
  auto values = std::make_unique<generator<int>>([&](genlet<int>& to) {
    const uninterrupted whole;
    to.yield(1);
    sleep_for(1s);
    to.yield(2);
  });
  auto reader = spawn([&] {
    auto at = values->begin();
    EXPECT_FALSE(uninterrupted::in_force());
    ++at;
    log.emplace_back("second value");
    sleep_for(1h);
  });
  loop.run_ready();
  reader->kill(kill_mode::do_not_wait);
  loop.run_ready();
  EXPECT_FALSE(reader->ready());
  advance(1s);
  EXPECT_TRUE(reader->exited());
  EXPECT_EQ(log, std::vector<std::string>{"second value"});
  values.reset();
}

#ifndef __clang__
// Clang's tables do not tell a function that is noexcept.

class uninterrupted_destructors : public uninterrupted_scopes, public testing::WithParamInterface<std::string> {};
INSTANTIATE_TEST_SUITE_P(of, uninterrupted_destructors, testing::Values("a time-out", "a kill, too"));

TEST_P(uninterrupted_destructors, are_left_alone_at_the_end_of_their_scope) {
  auto task = spawn([&] {
    const timeout limit(1s);
    {
      const cleaned_up local([&] {
        EXPECT_FALSE(uninterrupted::in_force()) << "not by the class";
        const std::string has_a_destructor = "cleaned up";
        sleep_for(2s);
        EXPECT_FALSE(with_timeout(1s, [] { sleep_for(1h); })) << "made inside, and caught inside";
        try {
          sleep_for(1s);
        } catch (const std::exception&) {
          ADD_FAILURE() << "a time-out is none";
        }
        log.push_back(has_a_destructor);
      });
    }
    sleep_for(1h);
  });
  (void)task->exception();
  loop.run_ready();
  advance(1s);
  if (GetParam() == "a kill, too") task->kill(kill_mode::do_not_wait);
  for (int i = 0; i < 3; ++i)
    advance(1s);
  EXPECT_EQ(log, std::vector<std::string>{"cleaned up"});
  EXPECT_TRUE(task->ready());
}

TEST_F(uninterrupted_scopes, are_in_force_in_a_destructor_whose_kill_came_before_it_waits) {
  auto task = spawn([&] {
    const cleaned_up local([&] {
      sleep_for(1s);
      yield();
      EXPECT_FALSE(with_timeout(1s, [] { sleep_for(1h); }));
      log.emplace_back("cleaned up");
    });
    loop.interrupt(greenlet::current(), std::make_exception_ptr(greenlet_exit()));
  });
  loop.run_ready();
  advance(1s);
  advance(1s);
  EXPECT_EQ(log, std::vector<std::string>{"cleaned up"});
  EXPECT_TRUE(task->successful());
}

TEST_F(uninterrupted_scopes, are_in_force_in_any_function_that_lets_nothing_out) {
  auto task = spawn([&] {
    const auto tidy_up = [&]() noexcept {
      sleep_for(1s);
      log.emplace_back("tidied up");
    };
    tidy_up();
    sleep_for(1h);
  });
  loop.run_ready();
  task->kill(kill_mode::do_not_wait);
  advance(1s);
  EXPECT_EQ(log, std::vector<std::string>{"tidied up"});
  EXPECT_TRUE(task->exited());
}

TEST_F(uninterrupted_scopes, are_not_in_force_in_such_a_function_that_catches_what_comes) {
  auto task = spawn([&]() noexcept {
    try {
      sleep_for(1h);
    } catch (const greenlet_exit&) {
      log.emplace_back("killed");
    }
  });
  loop.run_ready();
  task->kill(kill_mode::do_not_wait);
  loop.run_ready();
  EXPECT_EQ(log, std::vector<std::string>{"killed"});
}
#endif

}  // namespace
}  // namespace grove
