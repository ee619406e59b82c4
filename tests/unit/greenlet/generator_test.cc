// SPDX-License-Identifier: Apache-2.0
#include "worker/greenlet/generator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/unit/greenlet/unwinding.h"
#include "worker/greenlet/big_stack.h"
#include "worker/greenlet/greenlet.h"

// Clang knows the views of this standard library from version 16 on.
#if !defined(__clang__) || __clang_major__ >= 16
#include <ranges>
#define GROVE_TEST_VIEWS 1
#endif

namespace grove {
namespace {

static_assert(std::input_iterator<generator<int>::iterator>);
static_assert(std::is_nothrow_move_constructible_v<generator<int>>);

generator<int> count_to(int last) {
  return generator<int>(
      [](genlet<int>& to, int until) {
        for (int i = 1; i <= until; ++i)
          to.yield(i);
      },
      last);
}

std::vector<int> all_of(generator<int>&& values) {
  std::vector<int> seen;
  for (int value : values)
    seen.push_back(value);
  return seen;
}

TEST(generator, gives_values_until_its_function_returns) {
  EXPECT_EQ(all_of(count_to(3)), (std::vector<int>{1, 2, 3}));
  EXPECT_TRUE(all_of(count_to(0)).empty());
}

TEST(generator, runs_when_it_is_begun_and_not_before) {
  std::string order;
  generator<char> letters([&](genlet<char>& to) {
    order += 'a';
    to.yield('x');
    order += 'b';
  });
  EXPECT_EQ(order, "");
  auto at = letters.begin();
  EXPECT_EQ(*at, 'x');
  EXPECT_EQ(*letters.begin(), 'x');
  EXPECT_EQ(order, "a");
  ++at;
  EXPECT_TRUE(at == letters.end());
  EXPECT_EQ(order, "ab");
  EXPECT_THROW(++at, continulet_error);
}

TEST(generator, may_call_a_member_function_of_an_object) {
  struct box {
    std::vector<int> content;
    void each(genlet<int>& to) {
      for (int value : content)
        to.yield(value);
    }
  };
  box full{{4, 5}};
  EXPECT_EQ(all_of(generator<int>([&full](genlet<int>& to) { full.each(to); })), (std::vector<int>{4, 5}));
}

TEST(generator, gives_the_object_itself_and_copies_what_is_constant) {
  const std::string constant = "constant";
  std::string own = "own";
  generator<std::string> texts([&](genlet<std::string>& to) {
    to.yield(own);
    to.yield(constant);
    to.yield("temporary");
  });
  std::vector<std::string> seen;
  for (std::string& text : texts)
    seen.push_back(std::move(text));
  EXPECT_EQ(seen, (std::vector<std::string>{"own", "constant", "temporary"}));
  EXPECT_EQ(constant, "constant");
  EXPECT_TRUE(own.empty());
  generator<const std::string> kept([&](genlet<const std::string>& to) { to.yield(constant); });
  EXPECT_EQ(kept.begin().operator->(), &constant);
}

TEST(generator, passes_objects_that_cannot_be_copied) {
  generator<std::unique_ptr<int>> owners([](genlet<std::unique_ptr<int>>& to) { to.yield(std::make_unique<int>(8)); });
  const std::unique_ptr<int> taken = std::move(*owners.begin());
  EXPECT_EQ(*taken, 8);
}

TEST(generator, throws_what_its_function_throws_and_has_ended_then) {
  generator<int> failing([](genlet<int>& to) {
    to.yield(1);
    throw std::runtime_error("no more");
  });
  auto at = failing.begin();
  EXPECT_THROW(++at, std::runtime_error);
  EXPECT_TRUE(at == failing.end());
  generator<int> at_once([](genlet<int>&) { throw std::runtime_error("nothing"); });
  EXPECT_THROW((void)at_once.begin(), std::runtime_error);
}

TEST(generator, that_is_dropped_early_is_unwound) {
  bool destroyed = false;
  {
    generator<int> endless([&](genlet<int>& to) {
      const set_at_end guard{destroyed};
      for (int i = 0;; ++i)
        to.yield(i);
    });
    generator<int> moved = std::move(endless);
    for (int value : moved)
      if (value == 5) break;
    EXPECT_FALSE(destroyed);
  }
  EXPECT_TRUE(destroyed);
}

TEST(generator, may_be_nested_and_yield_from_inside_other_calls) {
  generator<int> layered([](genlet<int>& to) {
    for (int outer : count_to(2)) {
      for (int inner : count_to(outer))
        to.yield(10 * outer + inner);
    }
    on_big_stack([&] { to.yield(0); });
  });
  EXPECT_EQ(all_of(std::move(layered)), (std::vector<int>{11, 21, 22, 0}));
}

struct tree {
  int value;
  std::unique_ptr<tree> left{};
  std::unique_ptr<tree> right{};
};

// NOLINTNEXTLINE(misc-no-recursion)
generator<int> in_order(const tree* of) {
  // NOLINTNEXTLINE(misc-no-recursion)
  return generator<int>([of](genlet<int>& to) {
    if (of == nullptr) return;
    for (int value : in_order(of->left.get()))
      to.yield(value);
    to.yield(int{of->value});
    for (int value : in_order(of->right.get()))
      to.yield(value);
  });
}

TEST(generator, may_be_recursive) {
  const auto node = [](int value) { return std::make_unique<tree>(tree{value}); };
  auto root = node(4);
  root->left = node(2);
  root->left->left = node(1);
  root->left->right = node(3);
  root->right = node(5);
  EXPECT_EQ(all_of(in_order(root.get())), (std::vector<int>{1, 2, 3, 4, 5}));
}

void permutations(genlet<const std::vector<int>>& to, const std::vector<int>& left, const std::vector<int>& chosen) {
  if (left.empty()) return to.yield(chosen);
  for (std::size_t i = 0; i < left.size(); ++i) {
    std::vector<int> rest = left;
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(i));
    std::vector<int> longer = chosen;
    longer.push_back(left[i]);
    generator<const std::vector<int>> inner(&permutations, std::move(rest), std::move(longer));
    for (const std::vector<int>& each : inner)
      to.yield(each);
  }
}

TEST(generator, finds_all_permutations_with_one_generator_a_level) {
  generator<const std::vector<int>> all(&permutations, std::vector<int>{1, 2, 3, 4}, std::vector<int>());
  std::vector<std::vector<int>> seen;
  for (const std::vector<int>& each : all)
    seen.push_back(each);
  EXPECT_EQ(seen.size(), 24U);
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
}

TEST(generator, cannot_be_iterated_by_its_own_function) {
  generator<int>* self = nullptr;
  generator<int> turning([&](genlet<int>& to) {
    to.yield(1);
    auto at = self->begin();
    EXPECT_THROW(++at, continulet_error);
    to.yield(2);
  });
  self = &turning;
  EXPECT_EQ(all_of(std::move(turning)), (std::vector<int>{1, 2}));
}

TEST(generator, may_switch_greenlets_and_belongs_to_one_meanwhile) {
  greenlet& main = greenlet::main();
  generator<int> waiting([&](genlet<int>& to) {
    for (;;)
      to.yield(main.switch_to().take<int>());
  });
  greenlet_ptr g = greenlet::make([&] {
    for (int value : waiting)
      main.switch_to(value + 1);
  });
  g->resume();
  EXPECT_THROW((void)++waiting.begin(), continulet_error);
  EXPECT_EQ(g->switch_to(10).take<int>(), 11);
  g->resume();
  EXPECT_EQ(g->switch_to(20).take<int>(), 21);
}

TEST(generator, may_be_handed_on_between_two_values) {
  generator<int> shared = count_to(4);
  auto at = shared.begin();
  greenlet_ptr g = greenlet::make([&] {
    ++at;
    greenlet::main().resume();
    ++at;
  });
  g->resume();
  EXPECT_EQ(*at, 2);
  ++at;
  EXPECT_EQ(*at, 3);
  g->resume();
  EXPECT_EQ(*at, 4);
}

TEST(generator, that_is_dropped_while_one_is_inside_is_unwound_when_he_comes_out_with_an_error) {
  for (const char* end : {"value", "end", "exit"}) {
    bool unwound = false;
    auto shared = std::make_unique<generator<int>>([&](genlet<int>& to) {
      const set_at_end guard{unwound};
      to.yield(1);
      greenlet::main().resume();
      if (end == std::string("value")) to.yield(2);
    });
    bool refused = false;
    greenlet_ptr inside = greenlet::make([&, generator = shared.get()] {
      auto at = generator->begin();
      try {
        ++at;
      } catch (const continulet_error&) {
        refused = true;
      }
    });
    inside->resume();
    shared.reset();
    EXPECT_FALSE(unwound);
    if (end == std::string("exit"))
      inside.reset();
    else
      inside->resume();
    EXPECT_TRUE(unwound);
    EXPECT_EQ(refused, end != std::string("exit"));
  }
}

TEST(generator, may_be_replaced_by_its_own_function) {
  std::unique_ptr<generator<int>> own;
  bool unwound = false;
  own = std::make_unique<generator<int>>([&](genlet<int>& to) {
    const set_at_end guard{unwound};
    to.yield(1);
    own.reset();
    EXPECT_FALSE(unwound);
    to.yield(2);
  });
  auto at = own->begin();
  EXPECT_EQ(*at, 1);
  EXPECT_THROW(++at, continulet_error);
  EXPECT_TRUE(unwound);
}

TEST(generator, that_yields_in_a_destructor_while_it_is_unwound_goes_on) {
  reports seen;
  struct yields_at_end {
    genlet<int>& to;
    bool& after;
    ~yields_at_end() {
      to.yield(2);
      after = true;
    }
  };
  bool after = false;
  {
    generator<int> dropped([&](genlet<int>& to) {
      const yields_at_end last{to, after};
      to.yield(1);
    });
    EXPECT_EQ(*dropped.begin(), 1);
  }
  EXPECT_TRUE(after);
  EXPECT_EQ(seen.texts.size(), 1U);
}

#ifdef GROVE_TEST_VIEWS
static_assert(std::ranges::input_range<generator<int>>);

TEST(generator, is_a_range_for_views) {
  std::vector<int> seen;
  for (int value : count_to(100) | std::views::filter([](int i) { return i % 2 == 0; }) | std::views::take(3))
    seen.push_back(value);
  EXPECT_EQ(seen, (std::vector<int>{2, 4, 6}));
}
#endif

}  // namespace
}  // namespace grove
