// SPDX-License-Identifier: Apache-2.0
#include "worker/greenlet/big_stack.h"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "tests/unit/greenlet/unwinding.h"
#include "worker/greenlet/check_stack.h"
#include "worker/greenlet/continulet.h"
#include "worker/greenlet/greenlet.h"

namespace grove {
namespace {

TEST(big_stack, has_the_size_of_the_large_class_and_is_given_back) {
  const std::size_t stacks = thread_stacks().in_use();
  greenlet_ptr g = greenlet::make([&] {
    greenlet& me = greenlet::current();
    const std::size_t remaining = stack_remaining();
    on_big_stack([&] {
      EXPECT_EQ(&greenlet::current(), &me);
      EXPECT_GT(stack_remaining(), stack_bytes_large - 8192);
      EXPECT_LE(stack_remaining(), stack_bytes_large);
      EXPECT_TRUE(me.running_stack().holds(__builtin_frame_address(0)));
      check_stack();
    });
    EXPECT_LE(stack_remaining(), remaining);
    EXPECT_EQ(me.running_stack().base(), me.own_stack().base());
  });
  g->resume();
  EXPECT_TRUE(g->dead());
  EXPECT_EQ(thread_stacks().in_use(), stacks);
}

TEST(big_stack, gives_the_result_of_any_type) {
  int number = 3;
  EXPECT_EQ(on_big_stack([] { return 5; }), 5);
  EXPECT_EQ(*on_big_stack([] { return std::make_unique<int>(6); }), 6);
  EXPECT_EQ(&on_big_stack([&]() -> int& { return number; }), &number);
  on_big_stack([owned = std::make_unique<int>(7), &number] { number = *owned; });
  EXPECT_EQ(number, 7);
  const auto constant = [] { return 8; };
  EXPECT_EQ(on_big_stack(constant), 8);
}

TEST(big_stack, throws_what_is_thrown_on_it) {
  EXPECT_THROW(on_big_stack([]() -> int { throw std::runtime_error("thrown"); }), std::runtime_error);
  EXPECT_EQ(std::current_exception(), nullptr);
}

TEST(big_stack, is_where_the_greenlet_goes_on_after_a_switch) {
  greenlet& main = greenlet::main();
  greenlet_ptr g = greenlet::make([&] { return on_big_stack([&] { return main.switch_to(1).take<int>() + 1; }); });
  EXPECT_EQ(g->switch_to().take<int>(), 1);
  EXPECT_EQ(g->switch_to(2).take<int>(), 3);
}

TEST(big_stack, is_unwound_with_its_greenlet) {
  bool destroyed = false;
  greenlet_ptr g = greenlet::make([&] {
    on_big_stack([&] {
      const set_at_end guard{destroyed};
      on_big_stack([] { greenlet::main().resume(); });
    });
  });
  g->resume();
  g.reset();
  EXPECT_TRUE(destroyed);
}

TEST(big_stack, may_be_left_by_a_continulet_and_entered_again) {
  continulet_ptr c = continulet::make([](continulet& self) {
    return on_big_stack([&] {
      const int passed = self.switch_to(1).take<int>();
      EXPECT_GT(stack_remaining(), stack_bytes_small);
      return passed + 1;
    });
  });
  EXPECT_EQ(c->switch_to().take<int>(), 1);
  greenlet_ptr other = greenlet::make([&] { return c->switch_to(2); });
  EXPECT_EQ(other->switch_to().take<int>(), 3);
}

TEST(big_stack, that_is_not_there_is_an_error_and_nothing_is_called) {
  stack_pool& pool = thread_stacks();
  const std::size_t count_max = pool.count_max();
  pool.set_count_max(pool.in_use());
  bool called = false;
  EXPECT_THROW(on_big_stack([&] { called = true; }), stacks_exhausted);
  EXPECT_FALSE(called);
  pool.set_count_max(count_max);
}

// The recipe for recursion without a bound: go on with another stack when this one is nearly used up.
// NOLINTNEXTLINE(misc-no-recursion)
__attribute__((noinline)) std::size_t sum_to(std::size_t n) {
  if (stack_remaining() < 2 * stack_low_mark) return on_big_stack([n] { return sum_to(n); });
  volatile char room[512] = {};
  room[n % sizeof room] = 0;
  return n == 0 ? 0 : n + sum_to(n - 1) + static_cast<std::size_t>(room[n % sizeof room]);
}

TEST(big_stack, lets_recursion_go_as_deep_as_there_are_stacks) {
  constexpr std::size_t depth = 20'000 * stack_growth_under_sanitizers;
  greenlet_ptr g = greenlet::make([] { return sum_to(depth); });
  EXPECT_EQ(g->switch_to().take<std::size_t>(), depth * (depth + 1) / 2);
}

}  // namespace
}  // namespace grove
