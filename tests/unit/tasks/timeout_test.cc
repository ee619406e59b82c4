// SPDX-License-Identifier: Apache-2.0
#include "worker/tasks/timeout.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "tests/support/hub_fixture.h"
#include "worker/tasks/task.h"

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

TEST_F(timeouts, may_say_something_or_throw_something_else) {
  auto task = spawn([] {
    std::string seen;
    const timeout outer(1s, "the call took too long");
    timeout other(2s, std::make_exception_ptr(std::runtime_error("too late")));
    try {
      sleep_for(1h);
    } catch (const timeout_expired& thrown) {
      seen = outer.owns(thrown) ? thrown.text : "another";
    }
    EXPECT_FALSE(other.fired());
    EXPECT_THROW(sleep_for(1h), std::runtime_error);
    EXPECT_TRUE(other.fired());
    return seen;
  });
  loop.run_ready();
  advance(1s);
  advance(1s);
  EXPECT_EQ(task->get(), "the call took too long");
}

TEST_F(timeouts, start_anew) {
  auto task = spawn([&] {
    timeout limit(1s);
    sleep_for(500ms);
    limit.restart(1s);
    sleep_for(900ms);  // beyond the first end
    EXPECT_THROW(sleep_for(1h), timeout_expired);
    limit.restart(std::nullopt);
    sleep_for(5s);
    limit.restart(0s);
    EXPECT_THROW(yield(), timeout_expired);
    limit.restart(1s);
    limit.cancel();
    limit.cancel();
    sleep_for(5s);
    limit.restart(-1s);
    EXPECT_THROW(yield(), timeout_expired);
    yield();  // once only
  });
  loop.run_ready();
  for (auto step : {500ms, 900ms, 100ms, 5000ms, 5000ms})
    advance(step);
  EXPECT_TRUE(task->ready());
}

TEST_F(timeouts, of_one_scope_fire_one_after_another) {
  std::string order;
  spawn([&] {
    const timeout outer(1s);
    const timeout inner(1s);
    for (int i = 0; i < 2; ++i) {
      try {
        sleep_for(1h);
      } catch (const timeout_expired& thrown) {
        order += outer.owns(thrown) ? "outer " : inner.owns(thrown) ? "inner " : "? ";
      }
    }
    yield();
  });
  loop.run_ready();
  advance(1s);
  EXPECT_EQ(order, "outer inner ");
}

TEST_F(timeouts, with_timeout_gives_another_value_instead) {
  const auto asked = [](steady_duration takes) {
    return with_timeout(
        1s,
        [takes] {
          sleep_for(takes);
          return std::string("value");
        },
        "instead");
  };
  auto fast = spawn([&] { return asked(10ms); });
  auto slow = spawn([&] { return asked(1h); });
  loop.run_ready();
  advance(10ms);
  advance(1s);
  EXPECT_EQ(fast->get(), "value");
  EXPECT_EQ(slow->get(), "instead");
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

TEST_F(deadlines, throw_what_their_factory_makes) {
  auto task = spawn([&] {
    const deadline_bound limit(loop, time_after(loop.now(), 1s),
                               [] { return std::make_exception_ptr(std::runtime_error("deadline")); });
    EXPECT_EQ(wait_bound::earliest(greenlet::current()), time_after(loop.now(), 1s));
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
    const deadline_bound limit(loop, time_after(loop.now(), 1s), [] { return std::make_exception_ptr(1); });
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
