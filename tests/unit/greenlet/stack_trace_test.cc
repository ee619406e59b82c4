// SPDX-License-Identifier: Apache-2.0
#include "worker/greenlet/stack_trace.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <regex>
#include <stdexcept>
#include <string>
#include <thread>

#include "worker/greenlet/big_stack.h"
#include "worker/greenlet/continulet.h"
#include "worker/greenlet/generator.h"
#include "worker/greenlet/greenlet.h"
#include "worker/greenlet/trace.h"

namespace grove {

// With external linkage, so that the names are in the program's table of symbols.
[[gnu::noinline]] int trace_innermost(greenlet& to) {
  to.resume();
  return to.switch_for<int>(1) + 1;
}
// NOLINTNEXTLINE(misc-no-recursion)
[[gnu::noinline]] int trace_nested(greenlet& to, int depth) {
  const int result = depth == 0 ? trace_innermost(to) : trace_nested(to, depth - 1);
  return result + 1;
}
[[gnu::noinline]] int trace_of_caller(const std::function<int()>& call) {
  return call() + 1;
}

namespace {

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++found;
  return found;
}

class stack_trace_of : public testing::TestWithParam<stack_class> {};

TEST_P(stack_trace_of, a_suspended_greenlet_shows_its_calls_and_disturbs_nothing) {
  greenlet& me = greenlet::current();
  int events = 0;
  greenlet_ptr child = greenlet::make([&] { return trace_nested(me, 5); }, {.stack = GetParam(), .name = "traced"});
  child->resume();
  set_trace([&](trace_event, greenlet&, greenlet&) { ++events; });
  const std::string in_resume = stack_text(stack_trace(*child));
  EXPECT_EQ(count(in_resume, "trace_innermost"), 1U) << in_resume;
  EXPECT_EQ(count(in_resume, "trace_nested"), 6U) << in_resume;
  set_trace(nullptr);
  EXPECT_EQ(events, 0);
  EXPECT_EQ(child->switch_for<int>(), 1);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(count(stack_text(stack_trace(*child)), "trace_nested"), 6U);
  EXPECT_EQ(child->switch_for<int>(10), 17);
}

INSTANTIATE_TEST_SUITE_P(every_kind, stack_trace_of,
                         testing::Values(stack_class::small, stack_class::large, stack_class::sliced));

TEST(stack_trace, of_main_can_be_asked_for_by_a_child) {
  greenlet_ptr child = greenlet::make([] { return stack_trace(greenlet::main()).size(); });
  EXPECT_GT(child->switch_for<std::size_t>(), 3U);
}

TEST(stack_trace, shows_the_body_of_a_continulet_where_the_greenlet_is_in_one) {
  greenlet& me = greenlet::current();
  greenlet_ptr child = greenlet::make([&] {
    continulet_ptr inner = continulet::make([&](continulet&) { return trace_nested(me, 2); });
    return inner->switch_to().take<int>();
  });
  child->resume();
  EXPECT_EQ(count(stack_text(stack_trace(*child)), "trace_nested"), 3U);
  child->resume();
  EXPECT_EQ(child->switch_for<int>(1), 5);
}

TEST_P(stack_trace_of, goes_on_with_whoever_resumed_what_runs_on_another_stack) {
  greenlet& me = greenlet::current();
  greenlet_ptr child = greenlet::make(
      [&] {
        return trace_of_caller([&] {
          generator<int> values([&](genlet<int>& to) {
            to.yield(on_big_stack([&] { return trace_nested(me, 2); }));
            to.yield(0);
          });
          return *values.begin();
        });
      },
      {.stack = GetParam()});
  greenlet_ptr sibling = greenlet::make([&] { return trace_nested(me, 5); }, {.stack = GetParam()});
  child->resume();
  sibling->resume();  // if they share a stack, the child's bytes have left it
  for (int i = 0; i < 2; ++i) {
    const std::string text = stack_text(stack_trace(*child));
    EXPECT_EQ(count(text, "trace_nested"), 3U) << text;
    EXPECT_EQ(count(text, "run_on_big_stack"), 1U) << text;
    EXPECT_EQ(count(text, "trace_of_caller"), 1U) << text;
    EXPECT_LT(text.find("trace_nested"), text.find("run_on_big_stack"));
    EXPECT_LT(text.find("run_on_big_stack"), text.find("trace_of_caller"));
  }
  EXPECT_EQ(count(stack_text(stack_trace(*sibling)), "trace_nested"), 6U);
  child->resume();
  EXPECT_EQ(child->switch_for<int>(1), 6) << "nothing was disturbed";
  sibling->resume();
  EXPECT_EQ(sibling->switch_for<int>(1), 8);
}

TEST(stack_trace, of_a_chain_of_generators_ends_at_the_greatest_number_of_frames) {
  greenlet& me = greenlet::current();
  const std::function<int(int)> nested = [&](int depth) {
    return continulet::make([&](continulet&) { return depth == 0 ? trace_nested(me, 0) : nested(depth - 1); })
        ->switch_to()
        .take<int>();
  };
  greenlet_ptr child = greenlet::make([&] { return nested(60); });
  child->resume();
  EXPECT_EQ(stack_trace(*child).size(), stack_trace_frames_max);
  child->resume();
  EXPECT_EQ(child->switch_for<int>(1), 3);
}

TEST(stack_trace, leaves_an_exception_that_is_in_flight_further_out) {
  greenlet& me = greenlet::current();
  greenlet_ptr child = greenlet::make([&] {
    try {
      throw std::runtime_error("outer");
    } catch (const std::runtime_error&) {
      on_big_stack([&] { me.resume(); });
      try {
        throw;
      } catch (const std::runtime_error& again) {
        return std::string(again.what());
      }
    }
  });
  child->resume();
  EXPECT_FALSE(stack_trace(*child).empty());
  EXPECT_EQ(child->switch_for<std::string>(), "outer");
}

TEST(stack_trace, is_empty_unless_suspended) {
  greenlet_ptr child = greenlet::make([] {});
  EXPECT_TRUE(stack_trace(*child).empty());
  child->resume();
  EXPECT_TRUE(stack_trace(*child).empty());
  EXPECT_TRUE(stack_trace(greenlet::current()).empty());
  std::thread([&] { EXPECT_THROW((void)stack_trace(*child), greenlet_error); }).join();
}

TEST(describe, names_the_state) {
  const auto is = [](const greenlet& of, const std::string& state) {
    return std::regex_match(describe(of), std::regex("greenlet '.*' at 0x[0-9a-f]+ " + state));
  };
  greenlet_ptr child = greenlet::make(
      [&] {
        EXPECT_TRUE(is(greenlet::current(), "current active started"));
        EXPECT_TRUE(is(greenlet::main(), "suspended active started main"));
        greenlet::main().resume();
      },
      {.name = "child"});
  EXPECT_TRUE(is(*child, "pending"));
  EXPECT_TRUE(is(greenlet::main(), "current active started main"));
  child->resume();
  EXPECT_TRUE(is(*child, "suspended active started"));
  child->resume();
  EXPECT_TRUE(is(*child, "dead"));
  greenlet_ptr other;
  greenlet_ptr other_main;
  std::thread([&] {
    other_main = greenlet_ptr(&greenlet::main());
    other = greenlet::make([] {});
    EXPECT_TRUE(is(*child, "of another thread"));
  }).join();
  EXPECT_TRUE(is(*other_main, R"(\(thread exited\) dead main)"));
  EXPECT_TRUE(is(*other, R"(\(thread exited\) dead)"));
}

}  // namespace
}  // namespace grove
