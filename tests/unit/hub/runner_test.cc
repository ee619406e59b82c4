// SPDX-License-Identifier: Apache-2.0

// The pattern of the actor runtime: pooled greenlets run many turns each on one stack, and only a turn that waits keeps
// its greenlet.

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "tests/support/hub_fixture.h"
#include "worker/tasks/event.h"
#include "worker/tasks/task.h"

namespace grove {
namespace {

using namespace std::chrono_literals;

class turns final : public hub_component {
 public:
  explicit turns(hub& on) : hub_(on) { on.attach(*this); }
  ~turns() {
    hub_.detach(*this);
    idle_.clear();
    runners_.clear();
  }

  void submit(std::function<void()> turn) { ready_.push_back(std::move(turn)); }
  [[nodiscard]] std::size_t runners() const { return runners_.size(); }

 private:
  bool poll() override {
    bool did = false;
    while (!ready_.empty()) {
      did = true;
      if (idle_.empty()) add_runner();
      greenlet* next = idle_.back();
      idle_.pop_back();
      next->resume();  // comes back when the runner is idle again or one of its turns waits
    }
    return did;
  }
  bool prepare_sleep() override { return ready_.empty(); }
  void woke() override {}

  void add_runner() {
    runners_.push_back(greenlet::make([this] { run(); }, {.parent = &hub_.hub_greenlet(), .name = "runner"}));
    idle_.push_back(runners_.back().get());
  }
  void run() {
    for (;;) {
      while (!ready_.empty()) {
        std::function<void()> turn = std::move(ready_.front());
        ready_.pop_front();
        turn();
      }
      idle_.push_back(&greenlet::current());
      hub_.hub_greenlet().resume();
    }
  }

  hub& hub_;
  std::deque<std::function<void()>> ready_;
  std::vector<greenlet_ptr> runners_;
  std::vector<greenlet*> idle_;
};

using runners = hub_fixture;

TEST_F(runners, run_turns_that_do_not_wait_on_one_stack) {
  turns all(loop);
  int ran = 0;
  for (int i = 0; i < 1000; ++i)
    all.submit([&] { ++ran; });
  loop.run_ready();
  EXPECT_EQ(ran, 1000);
  EXPECT_EQ(all.runners(), 1U);
}

TEST_F(runners, keep_a_stack_for_a_turn_that_waits_and_go_on_with_another) {
  turns all(loop);
  event go(loop);
  std::string order;
  all.submit([&] {
    order += "a1 ";
    go.wait();
    order += "a2 ";
  });
  all.submit([&] { order += "b "; });
  loop.run_ready();
  EXPECT_EQ(order, "a1 b ");
  EXPECT_EQ(all.runners(), 2U);
  EXPECT_EQ(loop.waiting(), 1U);
  go.set();
  loop.run_ready();
  EXPECT_EQ(order, "a1 b a2 ");
  all.submit([&] { order += "c"; });
  loop.run_ready();
  EXPECT_EQ(order, "a1 b a2 c");
  EXPECT_EQ(all.runners(), 2U);
}

TEST_F(runners, wait_by_the_thousand) {
  turns all(loop);
  event go(loop);
  int done = 0;
  for (int i = 0; i < 1000; ++i) {
    all.submit([&] {
      go.wait();
      sleep_for(1s);
      ++done;
    });
  }
  loop.run_ready();
  go.set();
  loop.run_ready();
  EXPECT_EQ(loop.armed_timers(), 1000U);
  advance(1s);
  EXPECT_EQ(done, 1000);
  EXPECT_EQ(all.runners(), 1000U);
}

TEST_F(runners, can_be_interrupted_in_a_turn) {
  turns all(loop);
  greenlet* who = nullptr;
  bool cancelled = false;
  all.submit([&] {
    who = &greenlet::current();
    try {
      sleep_for(1h);
    } catch (int) {
      cancelled = true;
    }
  });
  loop.run_ready();
  EXPECT_TRUE(loop.interrupt(*who, std::make_exception_ptr(1)));
  loop.run_ready();
  EXPECT_TRUE(cancelled);
}

TEST_F(runners, spawn_and_join_tasks) {
  turns all(loop);
  int got = 0;
  all.submit([&] {
    auto task = spawn([] {
      yield();
      return 4;
    });
    got = task->get();
  });
  loop.run_ready();
  EXPECT_EQ(got, 4);
}

TEST_F(runners, that_wait_are_unwound_when_they_are_dropped) {
  bool unwound = false;
  {
    turns all(loop);
    all.submit([&] {
      struct guard {
        bool& flag;
        ~guard() { flag = true; }
      } at_end{unwound};
      sleep_for(1h);
    });
    loop.run_ready();
    EXPECT_FALSE(unwound);
  }
  EXPECT_TRUE(unwound);
}

}  // namespace
}  // namespace grove
