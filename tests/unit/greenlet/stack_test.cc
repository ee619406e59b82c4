// SPDX-License-Identifier: Apache-2.0
#include "worker/greenlet/stack.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "worker/greenlet/check_stack.h"
#include "worker/greenlet/greenlet.h"

namespace grove {
namespace {

TEST(stack_pool, gives_stacks_of_the_size_of_their_class) {
  stack_pool pool;
  const std::optional<stack> small = pool.try_take();
  const std::optional<stack> large = pool.try_take(stack_class::large);
  EXPECT_EQ(small->bytes(), stack_bytes_small);
  EXPECT_EQ(large->bytes(), stack_bytes_large);
  std::memset(small->base(), 1, small->bytes());
  std::memset(large->base(), 1, large->bytes());
  EXPECT_LE(small->top(), small->end());
  EXPECT_GE(small->top(), small->end() - 4096);
}

TEST(stack_pool, gives_the_bound_and_not_one_more) {
  stack_pool pool({.count_max = 3});
  std::vector<stack> out;
  for (int i = 0; i < 3; ++i)
    out.push_back(*pool.try_take());
  EXPECT_TRUE(pool.exhausted());
  EXPECT_FALSE(pool.try_take());
  EXPECT_FALSE(pool.try_take(stack_class::large));
  out.pop_back();
  EXPECT_TRUE(pool.try_take());
  EXPECT_EQ(pool.in_use(), 2U);
}

TEST(stack_pool, reuses_the_last_one_first) {
  stack_pool pool;
  std::optional<stack> first = pool.try_take();
  std::optional<stack> second = pool.try_take();
  const std::byte* base = first->base();
  second.reset();
  first.reset();
  EXPECT_EQ(pool.try_take()->base(), base);
}

TEST(stack_pool, knows_its_guard_page) {
  stack_pool pool;
  const std::optional<stack> taken = pool.try_take();
  EXPECT_TRUE(taken->guards(taken->base() - 1));
  EXPECT_FALSE(taken->guards(taken->base()));
  EXPECT_FALSE(taken->guards(taken->end()));
}

class stack_guard : public testing::TestWithParam<bool> {};

TEST_P(stack_guard, faults_below_the_stack) {
  stack_pool pool({.use_guard_regions = GetParam()});
  const std::optional<stack> taken = pool.try_take();
  taken->base()[0] = std::byte{1};
  EXPECT_DEATH(const_cast<volatile std::byte*>(taken->base())[-1] = std::byte{1}, "");
}

INSTANTIATE_TEST_SUITE_P(with_and_without_guard_regions, stack_guard, testing::Bool());

std::size_t mappings() {
  std::ifstream maps("/proc/self/maps");
  std::size_t count = 0;
  for (std::string line; std::getline(maps, line);)
    ++count;
  return count;
}

TEST(stack_pool, shares_mappings_between_stacks_where_there_are_guard_regions) {
  stack_pool pool;
  std::vector<stack> out;
  out.push_back(*pool.try_take());
  if (!pool.guard_regions()) GTEST_SKIP() << "the kernel has no guard regions";
  const std::size_t before = mappings();
  for (int i = 0; i < 1000; ++i)
    out.push_back(*pool.try_take());
  EXPECT_LT(mappings(), before + 100);
}

TEST(stack_pool, trims_all_but_the_warm_ones_once) {
  stack_pool pool({.warm_max = 2});
  std::vector<stack> out;
  for (int i = 0; i < 5; ++i) {
    out.push_back(*pool.try_take());
    out.back().base()[0] = std::byte{7};
  }
  std::byte* coldest = out.back().base();
  while (!out.empty())
    out.pop_back();
  // Three are cold, two are warm and were used too deep. The never used ones of the slab lie below, without pages.
  EXPECT_EQ(pool.trim(), 5U);
  EXPECT_EQ(coldest[0], std::byte{0});
  EXPECT_EQ(pool.trim(), 0U);
}

TEST(stack_pool, looks_at_so_many_stacks_in_a_trim_and_at_the_rest_in_the_next) {
  const auto use = [](stack_pool& pool, int stacks) {
    std::vector<stack> out;
    for (int i = 0; i < stacks; ++i) {
      out.push_back(*pool.try_take());
      out.back().base()[0] = std::byte{7};
    }
    const std::byte* coldest = out.back().base();
    while (!out.empty())
      out.pop_back();
    return coldest;
  };
  stack_pool pool({.warm_max = 2, .trimmed_max = 3});
  const std::byte* coldest = use(pool, 3);
  EXPECT_EQ(pool.trim(), 3U);
  EXPECT_EQ(pool.trim(), 0U);
  coldest = use(pool, 4);
  EXPECT_EQ(pool.trim(), 3U) << "one past the bound";
  EXPECT_EQ(pool.trim(), 1U);
  EXPECT_EQ(pool.trim(), 0U);
  use(pool, 10);
  std::size_t trimmed = 0;
  while (const std::size_t now = pool.trim()) {
    EXPECT_LE(now, 3U);
    trimmed += now;
    // What is taken and given back meanwhile is looked at again, and nothing is forgotten.
    if (trimmed == 3) (void)use(pool, 1);
  }
  EXPECT_EQ(trimmed, 10U);
  EXPECT_EQ(coldest[0], std::byte{0});
}

TEST(stack_pool, trims_for_a_time_and_goes_on_where_it_ended) {
  /// Every look at it takes a millisecond.
  class slow_clock final : public clock {
   public:
    [[nodiscard]] steady_time now() const noexcept override { return steady_time(std::chrono::milliseconds(++looks_)); }

   private:
    mutable int looks_ = 0;
  };
  const slow_clock time;
  stack_pool pool({.warm_max = 2});
  EXPECT_FALSE(pool.has_untrimmed());
  std::vector<stack> out;
  for (int i = 0; i < 10; ++i) {
    out.push_back(*pool.try_take());
    out.back().base()[0] = std::byte{7};
  }
  out.clear();
  EXPECT_TRUE(pool.has_untrimmed());
  EXPECT_EQ(pool.trim(time, std::chrono::milliseconds(4)), 4U);
  EXPECT_TRUE(pool.has_untrimmed());
  EXPECT_EQ(pool.trim(time, std::chrono::milliseconds(0)), 1U) << "one at least";
  EXPECT_EQ(pool.trim(time, std::chrono::milliseconds(100)), 5U);
  EXPECT_FALSE(pool.has_untrimmed());
  (void)pool.try_take();
  EXPECT_TRUE(pool.has_untrimmed()) << "it may have been used";
}

TEST(stack_pool, measures_how_deep_stacks_were_used_and_keeps_only_what_is_shallow) {
  const auto page = static_cast<std::size_t>(::getpagesize());
  stack_pool pool({.warm_bytes = 4 * page});
  const auto use = [&pool](std::size_t bytes) {
    const std::optional<stack> taken = pool.try_take();
    taken->end()[-static_cast<std::ptrdiff_t>(bytes)] = std::byte{7};
    taken->end()[-1] = std::byte{8};
    return taken->end();
  };
  (void)use(2 * page);
  EXPECT_EQ(pool.trim(), 0U);
  EXPECT_EQ(pool.bytes_used_max(), 2 * page);
  const std::byte* end = use(9 * page);
  EXPECT_EQ(pool.trim(), 1U);
  EXPECT_EQ(pool.bytes_used_max(), 9 * page);
  EXPECT_EQ(end[-1], std::byte{8});
  EXPECT_EQ(*(end - 9 * page), std::byte{0});
  EXPECT_EQ(pool.trim(), 0U) << "nothing was used since";
  EXPECT_EQ(pool.bytes_used_max(stack_class::large), 0U);
  EXPECT_EQ(pool.in_use_max(), 1U);
}

__attribute__((noinline)) std::size_t remaining_below(std::size_t bytes) {
  volatile char* room = static_cast<char*>(__builtin_alloca(bytes));
  room[0] = 1;
  return stack_remaining();
}

TEST(greenlet_stack, remaining_shrinks_with_depth) {
  greenlet_ptr child = greenlet::make([] {
    const std::size_t at_start = stack_remaining();
    EXPECT_GT(at_start, stack_bytes_small - 8192);
    EXPECT_LE(at_start, stack_bytes_small);
    EXPECT_LE(remaining_below(16384), at_start - 16384);
  });
  child->resume();
  EXPECT_GT(stack_remaining(), 64U * 1024);
}

// NOLINTNEXTLINE(misc-no-recursion)
__attribute__((noinline)) int recurse_until_low(int depth) {
  volatile char room[512];
  room[0] = static_cast<char>(depth);
  check_stack();
  if (depth == 1'000'000) return 0;
  return recurse_until_low(depth + 1) + room[0];
}

TEST(greenlet_stack, check_throws_before_the_end_and_names_the_greenlet) {
  greenlet_ptr child = greenlet::make([] { recurse_until_low(0); }, {.name = "deep"});
  try {
    child->resume();
    FAIL() << "it must throw";
  } catch (const stack_low& error) {
    EXPECT_NE(std::string(error.what()).find("'deep'"), std::string::npos);
  }
}

TEST(greenlet_stack, exhaustion_is_an_error_of_the_starter_and_can_be_asked_for) {
  stack_pool& pool = thread_stacks();
  const std::size_t before = pool.count_max();
  pool.set_count_max(pool.in_use() + 1);
  greenlet_ptr first = greenlet::make([] { greenlet::main().resume(); });
  greenlet_ptr second = greenlet::make([] { return 2; });
  first->resume();
  EXPECT_FALSE(second->try_reserve_stack());
  EXPECT_THROW(second->resume(), stacks_exhausted);
  EXPECT_FALSE(second->started());
  first.reset();
  EXPECT_TRUE(second->try_reserve_stack());
  EXPECT_EQ(second->switch_to().take<int>(), 2);
  pool.set_count_max(before);
}

TEST(greenlet_stack, exhaustion_leaves_a_value_for_an_unstarted_ancestor_with_its_sender) {
  greenlet_ptr parent = greenlet::make([](const std::string& text) { return text + "!"; });
  greenlet_ptr dead = greenlet::make([] {}, {.parent = &greenlet::main()});
  dead->resume();
  dead->set_parent(*parent);
  thread_stacks().set_count_max(thread_stacks().in_use());
  switch_value untyped = std::string("untyped");
  EXPECT_THROW((void)dead->switch_for<std::string>(std::move(untyped)), stacks_exhausted);
  EXPECT_TRUE(untyped.is<std::string>());
  EXPECT_FALSE(parent->started());
  thread_stacks().set_count_max(stack_pool_options{}.count_max);
  EXPECT_EQ(dead->switch_for<std::string>(std::move(untyped)), "untyped!");
}

TEST(greenlet_stack, exhaustion_comes_after_the_death_of_one_that_exit_is_thrown_into) {
  greenlet_ptr parent = greenlet::make([](greenlet_exit) { return 1; });
  greenlet_ptr child = greenlet::make([] {}, {.parent = parent.get()});
  thread_stacks().set_count_max(thread_stacks().in_use());
  EXPECT_THROW(child->throw_in(), stacks_exhausted);
  EXPECT_TRUE(child->dead());
  EXPECT_FALSE(parent->started());
  thread_stacks().set_count_max(stack_pool_options{}.count_max);
  EXPECT_EQ(child->throw_in().take<int>(), 1);
}

TEST(greenlet_stack, is_given_back_at_the_end) {
  const std::size_t before = thread_stacks().in_use();
  for (int i = 0; i < 1000; ++i)
    greenlet::make([] {})->resume();
  EXPECT_EQ(thread_stacks().in_use(), before);
}

}  // namespace
}  // namespace grove
