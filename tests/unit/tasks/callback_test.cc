// SPDX-License-Identifier: Apache-2.0
#include "base/callback.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/support/hub_fixture.h"
#include "worker/hub/callback_timer.h"
#include "worker/tasks/task.h"

namespace grove {
namespace {

struct context {
  int calls = 0;
};

TEST(callback, gets_as_many_arguments_as_it_takes) {
  context ctx;
  const auto offered = [&](auto&& handler) { return call_callback(handler, 1, std::string("two"), ctx); };
  EXPECT_EQ(offered([] { return 0; }), 0);
  EXPECT_EQ(offered([](int one) { return one; }), 1);
  EXPECT_EQ(offered([](int one, const std::string& two) { return one + static_cast<int>(two.size()); }), 4);
  offered([](int, const std::string&, context& at) { ++at.calls; });
  EXPECT_EQ(ctx.calls, 1);
  EXPECT_EQ((callback_arity<int (*)(int), int, context&>), 1U);
  EXPECT_EQ(offered([](auto... all) { return sizeof...(all); }), 3U) << "the longest, if several fit";
  EXPECT_EQ(offered([](int one, int two = 10) { return one + two; }), 11) << "a string is no int";
}

TEST(callback, is_called_as_const_if_that_takes_as_much) {
  struct both {
    std::string operator()(int) const { return "const"; }
    std::string operator()(int) { return "mutable"; }
  };
  struct more_if_mutable {
    std::string operator()() const { return "const"; }
    std::string operator()(int) { return "mutable"; }
  };
  struct once {
    std::string operator()(int) && { return "rvalue"; }
  };
  both first;
  EXPECT_EQ(call_callback(first, 1), "const");
  more_if_mutable second;
  EXPECT_EQ(call_callback(second, 1), "mutable");
  EXPECT_EQ(call_callback(once(), 1), "rvalue");
  EXPECT_FALSE((callback_for<once&, int>));
  int count = 0;
  auto counting = [count]() mutable { return ++count; };
  EXPECT_EQ(call_callback(counting, 1), 1);
  EXPECT_EQ(call_callback(counting, 1), 2) << "it keeps its state";
}

TEST(callback, passes_references_and_what_can_only_be_moved) {
  int number = 1;
  int& same = call_callback([](int& at) -> int& { return at; }, number, 2);
  EXPECT_EQ(&same, &number);
  EXPECT_EQ(*call_callback([](std::unique_ptr<int> own) { return own; }, std::make_unique<int>(7), number), 7);
  struct counter {
    int count = 3;
    int get() const { return count; }
  };
  EXPECT_EQ(call_callback(&counter::get, counter(), number), 3) << "members, as std::invoke has it";
  static_assert(callback_for<void (*)(), int> && callback_for<void (*)(int), int, int>);
  static_assert(!callback_for<void (*)(std::string), int>);
  static_assert(sizeof(adapt_callback<void(int)>([] {})) == 1);
}

using hub_callbacks = hub_fixture;

TEST_F(hub_callbacks, may_take_what_they_are_about_or_nothing) {
  std::string calls;
  auto task = spawn([] { return 1; });
  task->link([&] { calls += "a"; });
  task->link([&](task_base& of) { calls += of.ready() ? "b" : "?"; });
  const std::uint64_t number = task->watch([&](const task_base&) { calls += "never"; });
  task->unlink(number);
  loop.post([&](hub& on) { calls += &on == &loop ? "c" : "?"; });
  callback_timer timer([&, rings = 0](callback_timer& self) mutable {
    calls += "t";
    if (++rings < 3) self.arm_after(loop, std::chrono::seconds(1));
  });
  timer.arm_after(loop, std::chrono::seconds(1));
  loop.run_ready();
  EXPECT_EQ(calls, "cab");
  for (int second = 0; second < 5; ++second)
    advance(std::chrono::seconds(1));
  EXPECT_EQ(calls, "cabttt");
}

}  // namespace
}  // namespace grove
