// SPDX-License-Identifier: Apache-2.0
#include "worker/hub/timeout.h"

#include <gtest/gtest.h>

#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/unit/hub/hub_fixture.h"
#include "worker/hub/event.h"
#include "worker/hub/queue.h"
#include "worker/hub/semaphore.h"
#include "worker/hub/task.h"

namespace grove {
namespace {

using namespace std::chrono_literals;
using timeouts = hub_fixture;
using deadlines = hub_fixture;

TEST_F(timeouts, throw_themselves_into_a_wait) {
  bool caught = false;
  spawn([&] {
    timeout limit(1s);
    try {
      sleep_for(1h);
    } catch (const timeout_expired& thrown) {
      caught = limit.owns(thrown);
    }
  });
  loop.run_ready();
  advance(999ms);
  EXPECT_FALSE(caught);
  advance(1ms);
  EXPECT_TRUE(caught);
}

TEST_F(timeouts, arm_no_timer_without_a_wait) {
  spawn([&] {
    const timeout limit(1s);
    EXPECT_EQ(loop.armed_timers(), 0U);
    yield();
    EXPECT_EQ(loop.armed_timers(), 1U);
  });
  loop.run_ready();
}

TEST_F(timeouts, of_zero_fire_at_the_next_wait_and_not_without_one) {
  bool before = false;
  auto task = spawn([&] {
    const timeout limit(0s);
    before = true;
    EXPECT_THROW(yield(), timeout_expired);
  });
  loop.run_ready();
  EXPECT_TRUE(before);
  EXPECT_TRUE(task->ready());
}

TEST_F(timeouts, never_fire_without_a_limit_or_after_cancel) {
  auto task = spawn([&] {
    const timeout none(loop, std::nullopt);
    timeout cancelled(1s);
    cancelled.cancel();
    sleep_for(1h);
  });
  loop.run_ready();
  advance(1h);
  EXPECT_TRUE(task->ready());
}

TEST_F(timeouts, nested_keep_their_identity_when_the_inner_fires) {
  std::string who;
  spawn([&] {
    timeout outer(10s);
    try {
      timeout inner(1s);
      try {
        sleep_for(1h);
      } catch (const timeout_expired& thrown) {
        EXPECT_FALSE(outer.owns(thrown));
        if (!inner.owns(thrown)) throw;
        who = "inner";
      }
    } catch (const timeout_expired&) {
      who = "outer";
    }
  });
  loop.run_ready();
  advance(1s);
  EXPECT_EQ(who, "inner");
}

TEST_F(timeouts, outer_passes_through_an_inner_one) {
  std::string who;
  spawn([&] {
    timeout outer(1s);
    try {
      EXPECT_FALSE(with_timeout(10s, [] { sleep_for(1h); })) << "it must throw";
    } catch (const timeout_expired& thrown) {
      if (outer.owns(thrown)) who = "outer";
    }
  });
  loop.run_ready();
  advance(1s);
  EXPECT_EQ(who, "outer");
}

TEST_F(timeouts, outer_is_not_lost_when_both_are_due_and_the_inner_is_handled) {
  std::string order;
  spawn([&] {
    timeout outer(2s);
    try {
      {
        timeout inner(1s);
        try {
          sleep_for(1h);
        } catch (const timeout_expired& thrown) {
          if (!inner.owns(thrown)) throw;
          order += "inner ";
        }
      }
      sleep_for(1h);
    } catch (const timeout_expired& thrown) {
      if (outer.owns(thrown)) order += "outer";
    }
  });
  loop.run_ready();
  advance(5s);
  EXPECT_EQ(order, "inner outer");
}

TEST_F(timeouts, of_equal_time_fire_the_outer_one_first) {
  bool outer_fired = false;
  spawn([&] {
    timeout outer(1s);
    try {
      timeout inner(1s);
      try {
        sleep_for(1h);
      } catch (const timeout_expired& thrown) {
        if (!inner.owns(thrown)) throw;
      }
    } catch (const timeout_expired& thrown) {
      outer_fired = outer.owns(thrown);
    }
  });
  loop.run_ready();
  advance(1s);
  EXPECT_TRUE(outer_fired);
}

TEST_F(timeouts, that_expired_while_ready_do_not_reach_code_after_their_scope) {
  auto task = spawn([&] {
    {
      const timeout limit(1s);
      yield();
      time.advance(1s);  // due now, but the scope ends without a wait
    }
    yield();
    sleep_for(1s);
    return 1;
  });
  loop.run_ready();
  advance(1s);
  EXPECT_EQ(task->get(), 1);
}

TEST_F(timeouts, with_timeout_gives_the_value_or_nothing) {
  auto fast = spawn([] { return with_timeout(1s, [] { return 5; }); });
  auto slow = spawn([] {
    return with_timeout(1s, [] {
      sleep_for(1h);
      return 5;
    });
  });
  loop.run_ready();
  advance(1s);
  EXPECT_EQ(fast->get(), 5);
  EXPECT_EQ(slow->get(), std::nullopt);
}

TEST_F(timeouts, let_ordinary_handlers_alone) {
  auto task = spawn([] {
    return with_timeout(1s, [] {
      try {
        sleep_for(1h);
      } catch (const std::exception&) {
        ADD_FAILURE() << "a timeout is not a std::exception";
      }
      return 1;
    });
  });
  loop.run_ready();
  advance(1s);
  EXPECT_EQ(task->get(), std::nullopt);
}

TEST_F(timeouts, reach_every_blocking_call) {
  event never(loop);
  semaphore taken(loop, 0);
  queue<int> empty(loop);
  queue<int> full(loop, 1);
  int item = 1;
  EXPECT_TRUE(full.try_push(item));
  auto forever = spawn([] { sleep_for(10h); });
  const std::vector<std::function<void()>> calls = {[] { sleep_for(5h); },
                                                    [&] { never.wait(); },
                                                    [&] { taken.acquire(); },
                                                    [&] { empty.pop(); },
                                                    [&] { full.push(2); },
                                                    [&] { forever->join(); },
                                                    [&] { (void)never.wait_until(loop.now() + 5h); },
                                                    [&] { (void)empty.pop_until(loop.now() + 5h); }};
  int fired = 0;
  for (const auto& call : calls) {
    spawn([&fired, &call] {
      timeout limit(1s);
      try {
        call();
      } catch (const timeout_expired& thrown) {
        if (limit.owns(thrown)) ++fired;
      }
    });
  }
  loop.run_ready();
  advance(1s);
  EXPECT_EQ(fired, static_cast<int>(calls.size()));
  forever->kill(kill_mode::do_not_wait);
}

TEST_F(deadlines, throw_what_their_factory_makes) {
  auto task = spawn([&] {
    const deadline_bound limit(loop, loop.now() + 1s,
                               [] { return std::make_exception_ptr(std::runtime_error("deadline")); });
    EXPECT_EQ(wait_bound::earliest(greenlet::current()), loop.now() + 1s);
    EXPECT_THROW(sleep_for(1h), std::runtime_error);
    EXPECT_TRUE(limit.fired());
  });
  loop.run_ready();
  advance(1s);
  EXPECT_TRUE(task->ready());
  EXPECT_EQ(wait_bound::earliest(greenlet::current()), std::nullopt);
}

TEST_F(deadlines, of_a_turn_do_not_reach_the_next_turn_of_the_greenlet) {
  const auto turn = [this] {
    const deadline_bound limit(loop, loop.now() + 1s, [] { return std::make_exception_ptr(1); });
    yield();
  };
  auto runner = spawn([&] {
    turn();
    sleep_for(5s);
    turn();
    return 1;
  });
  loop.run_ready();
  advance(5s);
  EXPECT_EQ(runner->get(), 1);
}

}  // namespace
}  // namespace grove
