// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "worker/greenlet/greenlet.h"

namespace grove {
namespace {

TEST(greenlet_switch, runs_until_it_switches) {
  std::vector<int> order;
  greenlet& me = greenlet::current();
  greenlet_ptr child = greenlet::make([&] {
    order.push_back(1);
    me.resume();
    order.push_back(3);
  });
  child->resume();
  order.push_back(2);
  child->resume();
  order.push_back(4);
  EXPECT_EQ(order, (std::vector{1, 2, 3, 4}));
  EXPECT_TRUE(child->dead());
}

TEST(greenlet_switch, passes_values_both_ways) {
  greenlet& me = greenlet::current();
  greenlet_ptr child = greenlet::make([&](switch_value first) {
    EXPECT_EQ(first.take<int>(), 1);
    switch_value second = me.switch_to(std::string("two"));
    EXPECT_EQ(second.take<int>(), 3);
    return 4.5;
  });
  EXPECT_EQ(child->switch_to(1).take<std::string>(), "two");
  EXPECT_DOUBLE_EQ(child->switch_to(3).take<double>(), 4.5);
}

TEST(greenlet_switch, passes_several_values_as_a_tuple_and_values_that_only_move) {
  greenlet_ptr child = greenlet::make([](switch_value passed) {
    auto [number, owned] = passed.take<std::tuple<int, std::unique_ptr<int>>>();
    return number + *owned;
  });
  EXPECT_EQ(child->switch_to(std::tuple(40, std::make_unique<int>(2))).take<int>(), 42);
}

TEST(greenlet_switch, to_the_current_greenlet_gives_the_value_back_at_once) {
  EXPECT_EQ(greenlet::current().switch_to(7).take<int>(), 7);
  EXPECT_TRUE(greenlet::current().switch_to().empty());
  greenlet::current().resume();
}

TEST(greenlet_switch, without_a_value_discards_what_is_passed) {
  greenlet& me = greenlet::current();
  greenlet_ptr child = greenlet::make([&] {
    me.resume();  // gets 5, which nobody looks at
    return me.switch_to().empty();
  });
  child->resume();
  child->switch_to(5);
  EXPECT_TRUE(child->switch_to().take<bool>());
}

TEST(greenlet_switch, goes_between_siblings) {
  std::string order;
  greenlet_ptr first;
  greenlet_ptr second;
  first = greenlet::make([&] {
    order += "a";
    second->resume();
    order += "c";
  });
  second = greenlet::make([&] {
    order += "b";
    first->resume();
    order += "x";
  });
  first->resume();
  order += "d";
  EXPECT_EQ(order, "abcd");
  EXPECT_TRUE(first->dead());
  EXPECT_TRUE(second->active());
  second.reset();
  EXPECT_EQ(order, "abcd");
}

TEST(greenlet_switch, reports_its_states) {
  greenlet& me = greenlet::current();
  greenlet_ptr child = greenlet::make([&] { me.resume(); }, {.name = "child"});
  EXPECT_FALSE(child->started());
  EXPECT_FALSE(*child);
  EXPECT_FALSE(child->own_stack());
  child->resume();
  EXPECT_TRUE(child->started());
  EXPECT_TRUE(*child);
  EXPECT_FALSE(child->dead());
  EXPECT_TRUE(child->own_stack());
  child->resume();
  EXPECT_TRUE(child->dead());
  EXPECT_FALSE(*child);
  EXPECT_FALSE(child->own_stack());
  EXPECT_EQ(child->name(), "child");
  EXPECT_TRUE(me.is_current());
  EXPECT_TRUE(me.is_main());
}

TEST(greenlet_switch, carries_the_slots_of_the_layers_above) {
  int turn = 0;
  greenlet_ptr child = greenlet::make([&] { return greenlet::current().local() == &turn; });
  child->set_local(&turn);
  EXPECT_TRUE(child->switch_to().take<bool>());
}

TEST(greenlet_switch, destroys_the_callable_when_it_has_run) {
  auto owned = std::make_shared<int>(1);
  std::weak_ptr<int> seen = owned;
  greenlet_ptr child = greenlet::make([owned = std::move(owned)] {});
  child->resume();
  EXPECT_TRUE(seen.expired());
}

TEST(greenlet_switch, chains_a_thousand_greenlets) {
  // Each starts the next one; the last one's return unwinds the whole chain through the parents.
  struct chain {
    static int run(int depth) {
      if (depth == 0) return 0;
      greenlet_ptr next = greenlet::make([depth] { return run(depth - 1); });
      return next->switch_to().take<int>() + 1;
    }
  };
  EXPECT_EQ(chain::run(1000), 1000);
}

TEST(greenlet_switch, switches_among_many_in_any_order) {
  constexpr std::size_t count = 50;
  std::vector<greenlet_ptr> all;
  std::vector<unsigned> runs(count);
  greenlet& me = greenlet::current();
  for (std::size_t i = 0; i < count; ++i) {
    all.push_back(greenlet::make([&, i] {
      for (;;) {
        ++runs[i];
        me.resume();
      }
    }));
  }
  unsigned random = 12345;
  for (int i = 0; i < 20'000; ++i) {
    random = random * 1664525U + 1013904223U;
    all[(random >> 16U) % count]->resume();
  }
  unsigned sum = 0;
  for (const unsigned n : runs)
    sum += n;
  EXPECT_EQ(sum, 20'000U);
}

}  // namespace
}  // namespace grove
