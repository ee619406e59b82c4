// SPDX-License-Identifier: Apache-2.0
#include "worker/greenlet/trace.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <thread>

#include "tests/unit/greenlet/unwinding.h"
#include "worker/greenlet/greenlet.h"

namespace grove {
namespace {

/// Writes events as "main>child", with a ! if something is thrown.
class greenlet_trace : public testing::Test {
 protected:
  void start() {
    set_trace([this](trace_event event, greenlet& origin, greenlet& target) {
      EXPECT_TRUE(target.is_current() || target.dead());
      seen_ +=
          std::string(origin.name()) + (event == trace_event::thrown ? "!" : ">") + std::string(target.name()) + " ";
    });
  }
  std::string stop() {
    set_trace(nullptr);
    return std::exchange(seen_, {});
  }
  ~greenlet_trace() override { set_trace(nullptr); }

  static greenlet_ptr make_pausing(std::string_view name = "a") {
    return greenlet::make(
        [] {
          greenlet::main().switch_to(1);
          return 2;
        },
        {.name = name});
  }
  std::string seen_;
};

TEST_F(greenlet_trace, tells_starts_switches_and_ends) {
  greenlet_ptr child = make_pausing();
  start();
  EXPECT_EQ(child->switch_to().take<int>(), 1);
  child->resume();
  EXPECT_EQ(stop(), "main>a a>main main>a a>main ");
  EXPECT_TRUE(child->dead());
}

TEST_F(greenlet_trace, tells_of_the_current_and_of_dead_greenlets_as_greenlet_does) {
  greenlet_ptr child = greenlet::make([] {}, {.name = "a"});
  child->resume();
  start();
  EXPECT_EQ(greenlet::current().switch_for<int>(5), 5);
  EXPECT_EQ(child->switch_to(6).take<int>(), 6);
  EXPECT_THROW(greenlet::current().throw_in(std::make_exception_ptr(1)), int);
  EXPECT_TRUE(child->throw_in().is<greenlet_exit>());
  EXPECT_EQ(stop(), "main>main main>main main!main main>main ");
}

TEST_F(greenlet_trace, tells_what_is_thrown_in_and_what_escapes) {
  const auto thrown = std::make_exception_ptr(std::runtime_error("thrown"));
  greenlet_ptr child = make_pausing();
  child->resume();
  start();
  EXPECT_THROW(child->throw_in(thrown), std::runtime_error);
  EXPECT_EQ(stop(), "main!a a!main ");
  child = make_pausing();
  child->resume();
  start();
  child->throw_in();
  EXPECT_EQ(stop(), "main!a a>main ");
  child = make_pausing("unstarted");
  start();
  EXPECT_THROW(child->throw_in(thrown), std::runtime_error);
  EXPECT_EQ(stop(), "main!unstarted unstarted!main ");
  child = make_pausing("dropped");
  child->resume();
  start();
  child.reset();
  EXPECT_EQ(stop(), "main!dropped dropped>main ");
}

TEST_F(greenlet_trace, tells_of_siblings) {
  greenlet_ptr first = greenlet::make([] {}, {.name = "first"});
  greenlet_ptr second = greenlet::make([&] { first->resume(); }, {.name = "second"});
  start();
  second->resume();
  second->resume();
  EXPECT_EQ(stop(), "main>second second>first first>main main>second second>main ");
}

TEST_F(greenlet_trace, ends_when_the_tracer_throws_and_its_exception_replaces_the_result) {
  const auto bad = [this](trace_event, greenlet&, greenlet&) {
    seen_ += "x";
    throw std::logic_error("tracer");
  };
  greenlet_ptr child = make_pausing();
  child->resume();
  set_trace(bad);
  // It is called in the child, which dies of it.
  EXPECT_THROW(child->resume(), std::logic_error);
  EXPECT_TRUE(child->dead());
  EXPECT_FALSE(current_trace());
  EXPECT_EQ(seen_, "x");
  child = make_pausing();
  set_trace(bad);
  EXPECT_THROW(child->resume(), std::logic_error);
  EXPECT_TRUE(child->dead()) << "at the start as well";
}

TEST_F(greenlet_trace, may_be_set_twice_and_gives_the_previous_one_back) {
  EXPECT_FALSE(set_trace([this](trace_event, greenlet&, greenlet&) { seen_ += "x"; }));
  greenlet::current().resume();
  const trace_function again = current_trace();
  EXPECT_TRUE(set_trace(again));
  EXPECT_TRUE(set_trace(again));
  greenlet::current().resume();
  EXPECT_TRUE(set_trace(nullptr));
  greenlet::current().resume();
  EXPECT_EQ(seen_, "xx");
}

TEST_F(greenlet_trace, may_be_changed_by_the_tracer) {
  set_trace([this, big = std::string(100, 'b')](trace_event, greenlet&, greenlet&) {
    set_trace(nullptr);
    seen_ += big;
  });
  greenlet::current().resume();
  greenlet::current().resume();
  EXPECT_EQ(seen_.size(), 100U);
}

TEST_F(greenlet_trace, lets_the_tracer_switch_in_the_middle_of_a_switch) {
  greenlet_ptr side = greenlet::make([](int n) {
    for (;;)
      n = greenlet::current().parent()->switch_for<int>(n * 2);
  });
  int doubled = 0;
  bool inside = false;
  greenlet_ptr child = greenlet::make([](const std::string& text) { return text + "!"; });
  set_trace([&](trace_event, greenlet&, greenlet& target) {
    if (std::exchange(inside, true)) return;
    side->set_parent(target);
    doubled = side->switch_for<int>(21);
    side->set_parent(greenlet::main());
    inside = false;
  });
  EXPECT_EQ(child->switch_for<std::string>(std::string("kept")), "kept!");
  set_trace(nullptr);
  EXPECT_EQ(doubled, 42);
}

TEST_F(greenlet_trace, lets_the_tracer_drop_the_last_handle_of_one_that_has_just_finished) {
  greenlet_ptr child = greenlet::make([] { return 1; });
  set_trace([&](trace_event, greenlet& origin, greenlet&) {
    if (origin.dead()) child.reset();
  });
  EXPECT_EQ(child->switch_for<int>(), 1);
  EXPECT_FALSE(child);
}

TEST_F(greenlet_trace, lets_the_tracer_hold_for_a_moment_one_that_has_dropped_its_own_last_handle) {
  bool destroyed = false;
  greenlet_ptr child;
  child = greenlet::make([&] {
    const set_at_end guard{destroyed};
    child.reset();
    greenlet::main().resume();
  });
  set_trace([&](trace_event, greenlet& origin, greenlet&) { (void)greenlet_ptr(&origin); });
  child->resume();
  EXPECT_TRUE(destroyed);
}

TEST_F(greenlet_trace, is_of_one_thread) {
  start();
  std::thread([] {
    EXPECT_FALSE(current_trace());
    greenlet::make([] {})->resume();
  }).join();
  EXPECT_EQ(stop(), "");
}

}  // namespace
}  // namespace grove
