// SPDX-License-Identifier: Apache-2.0

// The end of continulets that nobody will switch to any more, and continulets inside greenlets.

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <thread>

#include "tests/unit/greenlet/unwinding.h"
#include "worker/greenlet/continulet.h"
#include "worker/greenlet/greenlet.h"

namespace grove {
namespace {

TEST(continulet_drop, unwinds_a_suspended_body) {
  const reports seen;
  bool destroyed = false;
  const std::size_t stacks = thread_stacks().in_use();
  continulet_ptr c = continulet::make([&](continulet& self) {
    const set_at_end guard{destroyed};
    self.resume();
  });
  c->resume();
  continulet_ptr second = c;
  c.reset();
  EXPECT_FALSE(destroyed);
  second.reset();
  EXPECT_TRUE(destroyed);
  EXPECT_TRUE(seen.texts.empty());
  EXPECT_EQ(thread_stacks().in_use(), stacks);
}

TEST(continulet_drop, of_an_unstarted_one_runs_nothing) {
  bool ran = false;
  bool destroyed = false;
  auto owned = std::make_unique<set_at_end>(set_at_end{destroyed});
  (void)continulet::make([&, held = std::move(owned)](continulet&) { ran = true; });
  EXPECT_FALSE(ran);
  EXPECT_TRUE(destroyed);
}

TEST(continulet_drop, by_its_own_body_lets_it_run_on_until_it_switches_away) {
  bool destroyed = false;
  bool ran_on = false;
  continulet_ptr c;
  c = continulet::make([&](continulet& self) {
    const set_at_end guard{destroyed};
    c.reset();
    ran_on = true;
    self.resume();
  });
  c->resume();
  EXPECT_TRUE(ran_on);
  EXPECT_TRUE(destroyed);
}

TEST(continulet_drop, by_its_own_body_before_the_end_is_harmless) {
  continulet_ptr c;
  c = continulet::make([&](continulet&) {
    c.reset();
    return 6;
  });
  EXPECT_EQ(c->switch_to().take<int>(), 6);
}

TEST(continulet_drop, inside_a_body_further_in_waits_for_the_way_back) {
  bool destroyed = false;
  continulet_ptr outer;
  outer = continulet::make([&](continulet& self) {
    const set_at_end guard{destroyed};
    continulet_ptr inner = continulet::make([&](continulet&) { outer.reset(); });
    inner->resume();
    EXPECT_FALSE(destroyed);
    self.resume();
  });
  outer->resume();
  EXPECT_TRUE(destroyed);
}

TEST(continulet_drop, may_be_survived_by_storing_a_handle) {
  continulet_ptr saved;
  continulet_ptr c = continulet::make([&](continulet& self) {
    try {
      self.resume();
    } catch (const greenlet_exit&) {
      saved = continulet_ptr(&self);
    }
    self.resume();
    return 5;
  });
  c->resume();
  c.reset();
  ASSERT_TRUE(saved);
  EXPECT_EQ(saved->switch_to().take<int>(), 5);
}

TEST(continulet_drop, reports_a_swallowed_exit_and_another_exception) {
  const reports seen;
  for (bool other : {false, true}) {
    continulet_ptr c = continulet::make([&](continulet& self) {
      try {
        self.resume();
      } catch (...) {
        if (other) throw std::runtime_error("other");
      }
    });
    c->resume();
  }
  ASSERT_EQ(seen.texts.size(), 2U);
  EXPECT_NE(seen.texts[0].find("swallowed greenlet_exit"), std::string::npos);
  EXPECT_NE(seen.texts[1].find("other"), std::string::npos);
}

TEST(continulet_drop, throws_again_into_one_that_swallows_and_switches_away) {
  const reports seen;
  bool destroyed = false;
  continulet_ptr c = continulet::make([&](continulet& self) {
    const set_at_end guard{destroyed};
    for (int i = 0; i < 3; ++i) {
      try {
        self.resume();
      } catch (...) {  // swallows everything
      }
    }
    self.resume();
  });
  c->resume();
  c.reset();
  EXPECT_TRUE(destroyed);
  EXPECT_EQ(seen.texts.size(), 1U);
}

TEST(continulet_drop, while_an_exception_is_in_flight_keeps_it) {
  bool destroyed = false;
  try {
    continulet_ptr c = continulet::make([&](continulet& self) {
      const set_at_end guard{destroyed};
      self.resume();
    });
    c->resume();
    throw std::runtime_error("in flight");
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "in flight");
  }
  EXPECT_TRUE(destroyed);
}

TEST(continulet_drop, of_one_of_a_permuted_ring_unwinds_the_ring) {
  int alive = 0;
  struct count {
    int& of;
    explicit count(int& counter) : of(counter) { ++of; }
    ~count() { --of; }
  };
  const auto body = [&](continulet& self) {
    const count guard(alive);
    self.resume();
  };
  continulet_ptr a = continulet::make(body);
  continulet_ptr b = continulet::make(body);
  continulet_ptr unstarted = continulet::make(body);
  a->resume();
  b->resume();
  EXPECT_EQ(alive, 2);
  permute(*a, *b, *unstarted);
  unstarted.reset();
  EXPECT_EQ(alive, 0);
  EXPECT_FALSE(a->is_pending());
  EXPECT_FALSE(b->is_pending());
}

TEST(continulet_drop, does_not_lose_a_value_that_is_under_way) {
  continulet_ptr suspended = continulet::make([](continulet& self) { self.resume(); });
  suspended->resume();
  continulet_ptr c = continulet::make([held = std::move(suspended)](continulet&) { return 12; });
  EXPECT_EQ(c->switch_to().take<int>(), 12);
}

TEST(continulet_drop, elsewhere_unwinds_at_the_owners_next_call) {
  bool destroyed = false;
  continulet_ptr c = continulet::make([&](continulet& self) {
    const set_at_end guard{destroyed};
    self.resume();
  });
  c->resume();
  std::thread([moved = std::move(c)]() mutable { moved.reset(); }).join();
  EXPECT_FALSE(destroyed);
  (void)greenlet::current();
  EXPECT_TRUE(destroyed);
}

TEST(continulet_drop, elsewhere_while_it_runs_waits_for_the_way_back) {
  bool destroyed = false;
  continulet_ptr c;
  c = continulet::make([&](continulet& self) {
    const set_at_end guard{destroyed};
    std::thread([moved = std::move(c)]() mutable { moved.reset(); }).join();
    (void)greenlet::current();
    EXPECT_FALSE(destroyed);
    self.resume();
  });
  c->resume();
  EXPECT_TRUE(destroyed);
}

TEST(continulet_drop, after_the_owner_has_exited_runs_nothing) {
  bool destroyed = false;
  continulet_ptr left;
  std::thread([&] {
    left = continulet::make([&](continulet& self) {
      const set_at_end guard{destroyed};
      self.resume();
    });
    left->resume();
  }).join();
  left.reset();
  EXPECT_FALSE(destroyed);
}

// Inside greenlets

TEST(continulet_in_a_greenlet, keeps_the_greenlet_current) {
  greenlet_ptr g = greenlet::make([&] {
    greenlet& me = greenlet::current();
    continulet_ptr c = continulet::make([&](continulet& self) {
      EXPECT_EQ(&greenlet::current(), &me);
      self.resume();
    });
    c->resume();
    EXPECT_EQ(&greenlet::current(), &me);
    EXPECT_EQ(me.running_stack().base(), me.own_stack().base());
  });
  g->resume();
}

TEST(continulet_in_a_greenlet, is_where_a_switch_to_the_greenlet_goes_on) {
  std::string order;
  continulet_ptr c = continulet::make([&](continulet&) {
    order += 'a';
    order += greenlet::main().switch_to(1).take<char>();
    return 'c';
  });
  greenlet_ptr g = greenlet::make([&] { return c->switch_to().take<char>(); });
  EXPECT_EQ(g->switch_to().take<int>(), 1);
  EXPECT_TRUE(c->in_use());
  EXPECT_NE(g->running_stack().base(), g->own_stack().base());
  EXPECT_EQ(g->switch_to('b').take<char>(), 'c');
  EXPECT_EQ(order, "ab");
  EXPECT_TRUE(g->dead());
  EXPECT_FALSE(c->in_use());
}

TEST(continulet_in_a_greenlet, cannot_be_touched_by_another_one) {
  continulet_ptr c = continulet::make([](continulet&) { greenlet::main().resume(); });
  continulet_ptr other = continulet::make([](continulet&) {});
  greenlet_ptr g = greenlet::make([&] { c->resume(); }, {.name = "user"});
  g->resume();
  try {
    c->resume();
    FAIL() << "it must throw";
  } catch (const continulet_error& error) {
    EXPECT_STREQ(error.what(), "the continulet is in use by greenlet 'user'");
  }
  EXPECT_THROW(c->throw_in(), continulet_error);
  EXPECT_THROW(other->switch_to({}, c.get()), continulet_error);
  EXPECT_THROW(c->switch_to({}, other.get()), continulet_error);
  EXPECT_THROW(permute(*other, *c), continulet_error);
  g->resume();
  EXPECT_TRUE(g->dead());
  EXPECT_FALSE(c->is_pending());
  other->resume();
  EXPECT_FALSE(other->is_pending());
}

TEST(continulet_in_a_greenlet, may_be_continued_by_another_one_after_the_way_back) {
  continulet_ptr c = continulet::make([](continulet& self) {
    for (int i = 0;; ++i)
      self.switch_to(i);
  });
  const auto next = [&] { return c->switch_to().take<int>(); };
  greenlet_ptr g = greenlet::make([&] {
    EXPECT_EQ(next(), 1);
    greenlet::main().resume();
    EXPECT_EQ(next(), 3);
  });
  EXPECT_EQ(next(), 0);
  g->resume();
  EXPECT_EQ(next(), 2);
  g->resume();
  EXPECT_TRUE(g->dead());
  EXPECT_EQ(next(), 4);
}

TEST(continulet_in_a_greenlet, outlives_it) {
  continulet_ptr c;
  greenlet_ptr g = greenlet::make([&] {
    c = continulet::make([](continulet& self) { return self.switch_to(1).take<int>(); });
    return c->switch_to();
  });
  EXPECT_EQ(g->switch_to().take<int>(), 1);
  g.reset();
  EXPECT_EQ(c->switch_to(2).take<int>(), 2);
}

TEST(continulet_in_a_greenlet, is_unwound_with_it) {
  std::string order;
  struct say_at_end {
    std::string& order;
    char what;
    ~say_at_end() { order += what; }
  };
  continulet_ptr inner = continulet::make([&](continulet&) {
    const say_at_end guard{order, 'i'};
    greenlet::main().resume();
  });
  continulet_ptr outer = continulet::make([&](continulet&) {
    const say_at_end guard{order, 'o'};
    inner->resume();
  });
  greenlet_ptr g = greenlet::make([&] {
    const say_at_end guard{order, 'g'};
    outer->resume();
  });
  g->resume();
  EXPECT_EQ(g->slots().task, nullptr);
  g.reset();
  EXPECT_EQ(order, "iog");
  EXPECT_FALSE(inner->is_pending());
  EXPECT_FALSE(outer->is_pending());
}

TEST(continulet_in_a_greenlet, gets_what_is_thrown_into_the_greenlet) {
  continulet_ptr c = continulet::make([](continulet&) {
    try {
      greenlet::main().resume();
    } catch (const std::runtime_error&) {
      return 1;
    }
    return 0;
  });
  greenlet_ptr g = greenlet::make([&] { return c->switch_to(); });
  g->resume();
  EXPECT_EQ(g->throw_in(std::make_exception_ptr(std::runtime_error("thrown"))).take<int>(), 1);
}

TEST(continulet_in_a_greenlet, may_be_left_by_the_flow_that_the_greenlet_began_with) {
  // The greenlet goes on from the inner body's switch to the outer one; both bodies are free then.
  continulet_ptr outer;
  continulet_ptr inner = continulet::make([&](continulet&) { outer->switch_to(1); });
  outer = continulet::make([&](continulet&) { inner->resume(); });
  greenlet_ptr g = greenlet::make([&] { return outer->switch_to(); });
  EXPECT_EQ(g->switch_to().take<int>(), 1);
  EXPECT_TRUE(g->dead());
  EXPECT_FALSE(outer->in_use());
  EXPECT_FALSE(inner->in_use());
  outer->resume();  // the inner body's end, then the outer one's
  EXPECT_FALSE(outer->is_pending());
  EXPECT_FALSE(inner->is_pending());
}

TEST(continulet_in_a_sliced_greenlet, gives_the_frames_of_the_greenlet_back) {
  int sum = 0;
  const auto body = [&sum](int start) {
    return [&sum, start] {
      volatile int kept = start;
      continulet_ptr c = continulet::make([start](continulet& self) {
        greenlet::main().resume();  // the frames outside may leave their stack now
        self.switch_to(start);
      });
      sum += c->switch_to().take<int>() + kept;
      greenlet::main().resume();
    };
  };
  std::vector<greenlet_ptr> all;
  all.reserve(20);
  for (int i = 0; i < 20; ++i)
    all.push_back(greenlet::make(body(i), {.stack = stack_class::sliced}));
  for (int pass = 0; pass < 3; ++pass)
    for (const greenlet_ptr& each : all)
      each->resume();
  EXPECT_EQ(sum, 2 * 190);
}

}  // namespace
}  // namespace grove
