// SPDX-License-Identifier: Apache-2.0
// What docs/greenlets.md shows, run.
#include <gtest/gtest.h>

#include <cstddef>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "worker/greenlet/big_stack.h"
#include "worker/greenlet/check_stack.h"
#include "worker/greenlet/continulet.h"
#include "worker/greenlet/generator.h"
#include "worker/greenlet/greenlet.h"
#include "worker/greenlet/stack_trace.h"
#include "worker/greenlet/trace.h"
#include "worker/greenlet/typed_greenlet.h"

namespace grove {
namespace {

TEST(greenlet_tutorial, passes_values_between_main_foo_and_bar) {
  std::vector<std::string> said;
  greenlet_ptr bar;
  greenlet_ptr foo = greenlet::make([&] {
    const int got = bar->switch_for<int>(std::string("Hello"));
    said.push_back("foo got " + std::to_string(got));
    return std::string("the end of foo");
  });
  bar = greenlet::make([&](const std::string& greeting) {
    said.push_back("bar got " + greeting);
    foo->switch_for(42);
    said.emplace_back("never");
  });

  said.push_back("main got " + foo->switch_for<std::string>());
  EXPECT_EQ(said, (std::vector<std::string>{"bar got Hello", "foo got 42", "main got the end of foo"}));
  EXPECT_TRUE(foo->dead());
  EXPECT_FALSE(bar->dead());
}

TEST(greenlet_tutorial, unwinds_what_nobody_holds_any_more) {
  struct file {
    std::vector<std::string>& log;
    ~file() { log.emplace_back("closed"); }
  };
  std::vector<std::string> log;
  greenlet_ptr reader = greenlet::make([&] {
    const file open{log};
    greenlet::main().resume();
  });
  reader->resume();
  reader = nullptr;
  EXPECT_EQ(log, std::vector<std::string>{"closed"});
}

TEST(greenlet_tutorial, throws_into_a_greenlet_and_out_of_it) {
  greenlet_ptr worker = greenlet::make([] {
    try {
      greenlet::main().resume();
    } catch (const std::runtime_error& error) {
      throw std::logic_error(std::string("could not cope with ") + error.what());
    }
  });
  worker->resume();
  EXPECT_THROW(worker->throw_in(std::make_exception_ptr(std::runtime_error("rain"))), std::logic_error);
}

TEST(greenlet_tutorial, keeps_a_conversation_in_one_function) {
  using account = typed_greenlet<long(long)>;
  const account balance = account::make([](long amount) -> long {
    long sum = 0;
    for (;;) {
      sum += amount;
      amount = greenlet::main().switch_for<long>(sum);
    }
  });
  EXPECT_EQ(balance(10), 10);
  EXPECT_EQ(balance(-3), 7);
}

TEST(greenlet_tutorial, iterates_over_what_a_function_yields) {
  struct tree {
    int value = 0;
    std::vector<tree> below;
  };
  const tree root{1, {{2, {{3, {}}}}, {4, {}}}};
  struct walk {
    void operator()(genlet<const int>& out, const tree& at) const {
      out.yield(at.value);
      for (const tree& one : at.below)
        (*this)(out, one);
    }
  };
  std::vector<int> seen;
  for (const int value : generator<const int>(walk{}, std::cref(root)))
    seen.push_back(value);
  EXPECT_EQ(seen, (std::vector<int>{1, 2, 3, 4}));
}

TEST(greenlet_tutorial, returns_to_whoever_resumed_last) {
  continulet_ptr counter = continulet::make([](continulet& self) {
    for (int i = 1;; ++i)
      self.switch_to(i);
  });
  EXPECT_EQ(counter->switch_to().take<int>(), 1);
  greenlet_ptr other = greenlet::make([&] { return counter->switch_to().take<int>(); });
  EXPECT_EQ(other->switch_for<int>(), 2);
  EXPECT_EQ(counter->switch_to().take<int>(), 3);
}

TEST(greenlet_tutorial, keeps_a_thousand_conversations_on_one_shared_stack) {
  std::vector<greenlet_ptr> sessions;
  for (int i = 0; i < 1000; ++i)
    sessions.push_back(greenlet::make(
        [i] {
          int mine = i;
          for (;;)
            mine += greenlet::main().switch_for<int>(mine);
        },
        {.stack = stack_class::sliced}));
  for (const greenlet_ptr& session : sessions)
    session->switch_for<int>();
  EXPECT_EQ(sessions[7]->switch_for<int>(1), 8);
  EXPECT_EQ(sessions[999]->switch_for<int>(1), 1000);
}

TEST(greenlet_tutorial, goes_deep_on_a_bigger_stack) {
  struct counting {
    std::size_t operator()(std::size_t left) const {
      if (left == 0) return 0;
      if (stack_remaining() < stack_low_mark) return on_big_stack([&] { return (*this)(left); });
      return (*this)(left - 1) + 1;
    }
  };
  greenlet_ptr deep = greenlet::make([] { return counting{}(100'000); });
  EXPECT_EQ(deep->switch_for<std::size_t>(), 100'000U);
}

TEST(greenlet_tutorial, says_what_it_does) {
  std::vector<std::string> events;
  greenlet_ptr traced = greenlet::make([] {}, {.name = "traced"});
  const trace_function before = set_trace([&](trace_event event, const greenlet& origin, const greenlet& target) {
    events.push_back(std::string(event == trace_event::switched ? "switch " : "throw ") + std::string(origin.name()) +
                     " to " + std::string(target.name()));
  });
  traced->resume();
  set_trace(before);
  EXPECT_EQ(events, (std::vector<std::string>{"switch main to traced", "switch traced to main"}));
  EXPECT_NE(describe(*traced).find("dead"), std::string::npos);
}

}  // namespace
}  // namespace grove
