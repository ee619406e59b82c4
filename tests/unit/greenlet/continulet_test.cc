// SPDX-License-Identifier: Apache-2.0
#include "worker/greenlet/continulet.h"

#include <gtest/gtest.h>

#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "worker/greenlet/check_stack.h"
#include "worker/greenlet/greenlet.h"

namespace grove {
namespace {

std::exception_ptr failure(const char* text) {
  return std::make_exception_ptr(std::runtime_error(text));
}

/// The text of the std::exception that `f` throws.
template <typename F>
std::string text_thrown_by(F&& f) {
  try {
    f();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "nothing is thrown";
}

continulet_ptr finished() {
  continulet_ptr made = continulet::make([](continulet&) {});
  made->resume();
  return made;
}

TEST(continulet, runs_at_its_first_switch_and_not_before) {
  bool ran = false;
  continulet_ptr c = continulet::make([&](continulet& self) {
    EXPECT_EQ(&self, c.get());
    ran = true;
    return 1;
  });
  EXPECT_FALSE(ran);
  EXPECT_EQ(c->switch_to().take<int>(), 1);
  EXPECT_TRUE(ran);
}

TEST(continulet, binds_arguments) {
  const auto body = [](continulet&, int a, std::unique_ptr<int> b, const std::string& c) {
    return c + std::to_string(a + *b);
  };
  continulet_ptr c = continulet::make(body, 1, std::make_unique<int>(2), "sum ");
  EXPECT_EQ(c->switch_to().take<std::string>(), "sum 3");
}

TEST(continulet, passes_values_both_ways) {
  continulet_ptr c = continulet::make([](continulet& self) {
    EXPECT_EQ(self.switch_to(1).take<int>(), 2);
    EXPECT_EQ(self.switch_to(3).take<std::string>(), "four");
    return 5;
  });
  EXPECT_EQ(c->switch_to().take<int>(), 1);
  EXPECT_EQ(c->switch_to(2).take<int>(), 3);
  EXPECT_EQ(c->switch_to(std::string("four")).take<int>(), 5);
}

TEST(continulet, takes_no_value_at_its_first_switch_and_is_finished_by_one) {
  bool ran = false;
  continulet_ptr c = continulet::make([&](continulet&) { ran = true; });
  EXPECT_THROW(c->switch_to(1), continulet_error);
  EXPECT_FALSE(ran);
  EXPECT_FALSE(c->is_pending());
}

TEST(continulet, is_pending_until_it_has_finished) {
  continulet_ptr c = continulet::make();
  EXPECT_FALSE(c->is_pending());
  c->init([](continulet& self) {
    EXPECT_TRUE(self.is_pending());
    self.resume();
    EXPECT_TRUE(self.is_pending());
  });
  EXPECT_TRUE(c->is_pending());
  c->resume();
  EXPECT_TRUE(c->is_pending());
  c->resume();
  EXPECT_FALSE(c->is_pending());
}

TEST(continulet, throws_in_the_caller_what_leaves_the_body) {
  continulet_ptr c = continulet::make([](continulet&) { throw std::runtime_error("escaped"); });
  EXPECT_EQ(text_thrown_by([&] { c->resume(); }), "escaped");
  EXPECT_FALSE(c->is_pending());
}

TEST(continulet, that_has_finished_cannot_be_used) {
  continulet_ptr c = finished();
  continulet_ptr fresh = continulet::make([](continulet&) {});
  EXPECT_EQ(text_thrown_by([&] { c->resume(); }), "the continulet has already finished");
  EXPECT_THROW(c->switch_to(1), continulet_error);
  EXPECT_THROW(c->throw_in(failure("lost")), continulet_error);
  EXPECT_THROW(c->switch_to({}, c.get()), continulet_error);
  EXPECT_THROW(c->switch_to({}, fresh.get()), continulet_error);
  EXPECT_THROW(fresh->switch_to({}, c.get()), continulet_error);
  EXPECT_THROW(permute(*c), continulet_error);
  EXPECT_THROW(permute(*fresh, *c), continulet_error);
  EXPECT_TRUE(fresh->is_pending());
}

TEST(continulet, is_initialised_once) {
  const auto body = [](continulet& self) { self.resume(); };
  continulet_ptr c = continulet::make();
  c->init(body);
  for (int i = 0; i < 2; ++i) {
    EXPECT_THROW(c->init(body), continulet_error);
    c->resume();
  }
  EXPECT_FALSE(c->is_pending());
  EXPECT_THROW(c->init(body), continulet_error);
}

TEST(continulet, that_is_empty_gives_back_what_it_is_passed) {
  continulet_ptr empty = continulet::make();
  empty->resume();
  EXPECT_EQ(empty->switch_to(7).take<int>(), 7);
  EXPECT_THROW(empty->throw_in(failure("back")), std::runtime_error);
}

TEST(continulet, that_is_empty_passes_the_switch_on) {
  continulet_ptr empty = continulet::make();
  continulet_ptr c = continulet::make([](continulet& self) { return self.switch_to(1).take<int>(); });
  EXPECT_EQ(empty->switch_to({}, c.get()).take<int>(), 1);
  EXPECT_EQ(empty->switch_to(8, c.get()).take<int>(), 8);
  EXPECT_THROW(empty->switch_to({}, c.get()), continulet_error);
}

TEST(continulet, returns_to_whoever_switched_in_last) {
  continulet_ptr inner = continulet::make([](continulet& self) {
    self.switch_to(1);
    return 2;
  });
  EXPECT_EQ(inner->switch_to().take<int>(), 1);
  continulet_ptr outer = continulet::make([&](continulet&) {
    EXPECT_EQ(inner->switch_to().take<int>(), 2);  // not to the main flow, which has started it
    return 3;
  });
  EXPECT_EQ(outer->switch_to().take<int>(), 3);
}

TEST(continulet, passes_values_and_exceptions_through_two_levels) {
  continulet_ptr deep = continulet::make([](continulet& self) {
    EXPECT_EQ(self.switch_to(1).take<int>(), 2);
    EXPECT_EQ(text_thrown_by([&] { self.switch_to(3); }), "down");
    throw std::runtime_error("up");
  });
  continulet_ptr c = continulet::make([&](continulet& self) {
    self.switch_to(deep->switch_to().take<int>());
    EXPECT_EQ(deep->switch_to(2).take<int>(), 3);
    deep->throw_in(failure("down"));
  });
  EXPECT_EQ(c->switch_to().take<int>(), 1);
  EXPECT_EQ(text_thrown_by([&] { c->resume(); }), "up");
  EXPECT_FALSE(deep->is_pending());
  EXPECT_FALSE(c->is_pending());
}

TEST(continulet, may_be_left_in_another_order_than_it_was_entered) {
  std::string order;
  continulet_ptr a;
  continulet_ptr b;
  b = continulet::make([&](continulet&) {
    order += 'b';
    a->resume();  // out of a: its resumer goes on, b's end will go to a
    order += 'e';
  });
  a = continulet::make([&](continulet&) {
    order += 'a';
    b->resume();
    order += 'f';
  });
  a->resume();
  order += 'm';
  EXPECT_TRUE(a->is_pending());
  a->resume();
  EXPECT_EQ(order, "abmef");
  EXPECT_FALSE(a->is_pending());
  EXPECT_FALSE(b->is_pending());
}

TEST(continulet, has_switches_at_various_depths_of_its_stack) {
  struct recursion {
    // NOLINTNEXTLINE(misc-no-recursion)
    static int down(continulet& self, int depth) {
      volatile char room[200] = {};
      if (depth == 0) return self.switch_to().take<int>();
      return down(self, depth - 1) + 1 + room[0];
    }
  };
  for (int depth : {0, 1, 10, 50}) {
    continulet_ptr c = continulet::make([&](continulet& self) { return recursion::down(self, depth); });
    c->resume();
    EXPECT_EQ(c->switch_to(100).take<int>(), 100 + depth);
  }
}

// A double switch: the caller's continuation goes to the first, the first one's to the second, the second one's runs.

TEST(continulet_double_switch, moves_the_continuation_of_the_first_to_the_second) {
  continulet_ptr c1 = continulet::make([](continulet& self) { return self.switch_to(1).take<int>(); });
  continulet_ptr c2 = continulet::make([](continulet& self) { EXPECT_EQ(self.switch_to(2).take<int>(), 20); });
  EXPECT_EQ(c1->switch_to().take<int>(), 1);
  EXPECT_EQ(c2->switch_to().take<int>(), 2);
  // c2's body runs; c2 holds c1's body, which gets c2's result: nothing, where it wants a number.
  EXPECT_THROW(c1->switch_to(20, c2.get()), std::bad_any_cast);
  EXPECT_FALSE(c1->is_pending());
  EXPECT_FALSE(c2->is_pending());
}

TEST(continulet_double_switch, plays_ping_pong_past_the_caller) {
  continulet_ptr c1;
  continulet_ptr c2;
  c1 = continulet::make([&](continulet&) {
    for (int i = 0; i < 10; ++i)
      EXPECT_EQ(c1->switch_to(i, c2.get()).take<int>(), i + 100);
    return std::string("end");
  });
  c2 = continulet::make([&](continulet&) {
    int got = c2->switch_to().take<int>();
    for (int i = 0; i < 9; ++i)
      got = c2->switch_to(got + 100, c1.get()).take<int>();
    c2->switch_to(got + 100, c1.get());
  });
  c2->resume();
  EXPECT_EQ(c1->switch_to().take<std::string>(), "end");
  EXPECT_TRUE(c2->is_pending());
}

TEST(continulet_double_switch, to_an_unstarted_one_starts_it) {
  continulet_ptr c1 = continulet::make([](continulet&) { return 'm'; });
  continulet_ptr c2 = continulet::make([](continulet& self) { EXPECT_EQ(self.switch_to('z').take<char>(), 'a'); });
  EXPECT_EQ(c2->switch_to().take<char>(), 'z');
  EXPECT_EQ(c1->switch_to('a', c2.get()).take<char>(), 'm');
}

TEST(continulet_double_switch, between_unstarted_ones_delivers_the_result_to_the_first) {
  continulet_ptr c1 = continulet::make([](continulet&) { return 1; });
  continulet_ptr c2 = continulet::make([](continulet&) {});
  EXPECT_EQ(c1->switch_to({}, c2.get()).take<int>(), 1);
  c1 = continulet::make([](continulet&) { return 1; });
  c2 = continulet::make([](continulet&) { return 2; });  // a value, for one that has not started
  EXPECT_THROW(c1->switch_to({}, c2.get()), continulet_error);
  EXPECT_FALSE(c1->is_pending());
  EXPECT_FALSE(c2->is_pending());
}

TEST(continulet_double_switch, to_itself_does_nothing) {
  continulet_ptr c = continulet::make([](continulet& self) { self.resume(); });
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(c->switch_to(4, c.get()).take<int>(), 4);
    EXPECT_THROW(c->throw_in(failure("back"), c.get()), std::runtime_error);
    EXPECT_TRUE(c->is_pending());
    c->resume();
  }
}

TEST(continulet_double_switch, ignores_an_empty_second) {
  continulet_ptr empty = continulet::make();
  continulet_ptr c = continulet::make([](continulet&) { return 3; });
  EXPECT_EQ(c->switch_to({}, empty.get()).take<int>(), 3);
}

TEST(continulet_throw, raises_at_the_pending_switch) {
  continulet_ptr c = continulet::make([](continulet& self) {
    EXPECT_EQ(text_thrown_by([&] { self.switch_to(1); }), "thrown");
    return 2;
  });
  c->resume();
  EXPECT_EQ(c->throw_in(failure("thrown")).take<int>(), 2);
}

TEST(continulet_throw, into_an_unstarted_one_comes_back_and_finishes_it) {
  bool ran = false;
  continulet_ptr c = continulet::make([&](continulet&) { ran = true; });
  EXPECT_EQ(text_thrown_by([&] { c->throw_in(failure("back")); }), "back");
  EXPECT_FALSE(ran);
  EXPECT_FALSE(c->is_pending());
}

TEST(continulet_throw, without_an_exception_is_greenlet_exit) {
  continulet_ptr c = continulet::make([](continulet& self) { self.resume(); });
  c->resume();
  EXPECT_THROW(c->throw_in(), greenlet_exit);
}

TEST(continulet_throw, with_a_second_one_raises_there) {
  continulet_ptr c1 = continulet::make([](continulet& self) { return self.switch_to().empty() ? 1 : 0; });
  continulet_ptr c2 =
      continulet::make([](continulet& self) { EXPECT_EQ(text_thrown_by([&] { self.resume(); }), "thrown"); });
  c1->resume();
  c2->resume();
  EXPECT_EQ(c1->throw_in(failure("thrown"), c2.get()).take<int>(), 1);
}

TEST(continulet_permute, rotates_what_is_held) {
  std::string order;
  std::vector<continulet_ptr> c;
  c.reserve(3);
  for (int i = 0; i < 3; ++i)
    c.push_back(continulet::make([&order, i](continulet& self) {
      self.resume();
      order += std::to_string(i);
    }));
  for (const continulet_ptr& each : c)
    each->resume();
  continulet_ptr empty = continulet::make();
  permute();
  permute(*empty);
  permute(*c[0], *empty, *c[1], *c[2]);
  c[1]->resume();  // runs body 0, whose end runs what continulet 0 holds: body 2, then body 1
  EXPECT_EQ(order, "021");
}

TEST(continulet_permute, may_insert_a_flow_between_the_running_one_and_its_resumer) {
  continulet_ptr c1;
  continulet_ptr c2;
  c1 = continulet::make([](continulet& self) { return self.switch_to().take<int>() + 1; });
  c2 = continulet::make([&](continulet&) {
    permute(*c1, *c2);
    return 1;
  });
  c1->resume();
  EXPECT_EQ(c2->switch_to().take<int>(), 2);
  EXPECT_FALSE(c1->is_pending());
}

TEST(continulet_exceptions, are_not_inherited_and_stay_with_their_flow) {
  continulet_ptr c = continulet::make([](continulet& self) {
    EXPECT_EQ(std::current_exception(), nullptr);
    try {
      throw std::runtime_error("of the body");
    } catch (...) {
      self.resume();
      EXPECT_EQ(text_thrown_by([] { throw; }), "of the body");
    }
    self.resume();
  });
  try {
    throw std::runtime_error("of the caller");
  } catch (...) {
    c->resume();
    EXPECT_EQ(text_thrown_by([] { throw; }), "of the caller");
    c->resume();
    EXPECT_EQ(text_thrown_by([] { throw; }), "of the caller");
  }
  EXPECT_EQ(std::current_exception(), nullptr);
  c->resume();
}

TEST(continulet_stack, is_taken_at_the_start_and_given_back_at_the_end) {
  stack_pool& pool = thread_stacks();
  const std::size_t before = pool.in_use();
  continulet_ptr c = continulet::make_on(stack_class::large, [](continulet& self) {
    EXPECT_GT(stack_remaining(), stack_bytes_large - 8192);
    EXPECT_LE(stack_remaining(), stack_bytes_large);
    self.resume();
  });
  EXPECT_EQ(pool.in_use(), before);
  c->resume();
  EXPECT_EQ(pool.in_use(), before + 1);
  c->resume();
  EXPECT_EQ(pool.in_use(), before);
  EXPECT_THROW((void)continulet::make_on(stack_class::sliced, [](continulet&) {}), continulet_error);
}

TEST(continulet_stack, exhaustion_is_an_error_of_the_starter_and_changes_nothing) {
  stack_pool& pool = thread_stacks();
  const std::size_t count_max = pool.count_max();
  continulet_ptr c = continulet::make([](continulet&) { return 1; });
  continulet_ptr second = continulet::make([](continulet&) {});
  pool.set_count_max(pool.in_use());
  EXPECT_THROW(c->resume(), stacks_exhausted);
  EXPECT_THROW(second->switch_to({}, c.get()), stacks_exhausted);
  EXPECT_TRUE(c->is_pending());
  EXPECT_FALSE(c->in_use());
  // A body's end has no caller to tell: what it should start finishes, and its resumer gets the error.
  pool.set_count_max(pool.in_use() + 1);
  continulet_ptr outer = continulet::make([&](continulet& self) { permute(self, *second); });
  EXPECT_THROW(outer->resume(), stacks_exhausted);
  EXPECT_FALSE(second->is_pending());
  pool.set_count_max(count_max);
  EXPECT_EQ(c->switch_to().take<int>(), 1);
}

TEST(continulet_thread, is_the_only_one_that_may_use_it) {
  continulet_ptr c = continulet::make([](continulet& self) { self.resume(); });
  c->resume();
  std::thread([&] {
    continulet_ptr own = continulet::make([](continulet&) {});
    EXPECT_EQ(text_thrown_by([&] { c->resume(); }), "the continulet belongs to another thread");
    EXPECT_THROW(c->throw_in(), continulet_error);
    EXPECT_THROW(own->switch_to({}, c.get()), continulet_error);
    EXPECT_THROW(permute(*own, *c), continulet_error);
    EXPECT_TRUE(own->is_pending());
  }).join();
  EXPECT_TRUE(c->is_pending());
}

TEST(continulet_thread, may_make_an_empty_one_its_own) {
  continulet_ptr c = continulet::make();
  std::thread([&] { c->init([](continulet&) {}); }).join();
  EXPECT_EQ(text_thrown_by([&] { c->resume(); }), "the continulet belongs to a thread that has exited");
}

}  // namespace
}  // namespace grove
