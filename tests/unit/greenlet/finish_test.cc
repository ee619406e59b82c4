// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <typeinfo>
#include <utility>

#include "worker/greenlet/greenlet.h"

namespace grove {
namespace {

TEST(greenlet_finish, throws_an_escaped_exception_in_the_parent) {
  greenlet_ptr child = greenlet::make([] { throw std::runtime_error("escaped"); });
  EXPECT_THROW(child->resume(), std::runtime_error);
  EXPECT_TRUE(child->dead());
}

TEST(greenlet_finish, gives_greenlet_exit_as_a_value) {
  greenlet_ptr child = greenlet::make([] { throw greenlet_exit(); });
  EXPECT_TRUE(child->switch_to().is<greenlet_exit>());
}

struct stopped : greenlet_exit {
  explicit stopped(std::string text) : why(std::move(text)) {}
  std::string why;
};
struct other_base {
  int number = 7;
};
struct stopped_twice : other_base, stopped {
  using stopped::stopped;
};

TEST(greenlet_finish, gives_what_is_derived_from_greenlet_exit_whole) {
  greenlet_ptr child = greenlet::make([] { throw stopped_twice("no more work, and a long text about it"); });
  switch_value passed = child->switch_to();
  EXPECT_EQ(passed.type(), typeid(stopped_twice));
  EXPECT_TRUE(passed.is<stopped_twice>() && passed.is<stopped>() && passed.is<greenlet_exit>());
  EXPECT_FALSE(passed.is<std::runtime_error>());
  EXPECT_EQ(passed.get_if<stopped_twice>()->number, 7);
  EXPECT_EQ(passed.get_if<int>(), nullptr);
  switch_value moved = std::move(passed);
  EXPECT_EQ(moved.take<stopped>().why, "no more work, and a long text about it");
  EXPECT_TRUE(moved.empty());
}

TEST(greenlet_finish, gives_a_derived_exit_whole_wherever_it_was_thrown) {
  const std::exception_ptr thrown = std::make_exception_ptr(stopped("again and again, from outside"));
  const auto why = [](switch_value passed) { return passed.take<stopped>().why; };
  greenlet_ptr suspended = greenlet::make([] { greenlet::main().resume(); });
  suspended->resume();
  EXPECT_EQ(why(suspended->throw_in(thrown)), "again and again, from outside");
  EXPECT_EQ(why(suspended->throw_in(thrown)), "again and again, from outside");  // dead
  greenlet_ptr unstarted = greenlet::make([] {});
  EXPECT_EQ(why(unstarted->throw_in(thrown)), "again and again, from outside");
  greenlet_ptr sliced = greenlet::make([] { greenlet::main().resume(); }, {.stack = stack_class::sliced});
  sliced->resume();
  EXPECT_EQ(sliced->throw_in(thrown).take<stopped>().why, "again and again, from outside");
}

TEST(greenlet_finish, starts_a_parent_that_takes_an_exit_with_the_object) {
  std::string seen;
  greenlet_ptr parent = greenlet::make([&](stopped end) { seen = end.why; });
  greenlet_ptr child = greenlet::make([] { throw stopped_twice("typed"); }, {.parent = parent.get()});
  child->resume();
  EXPECT_EQ(seen, "typed");
}

TEST(greenlet_finish, goes_to_the_parent_and_not_to_the_resumer) {
  std::string order;
  greenlet_ptr child = greenlet::make([&] {
    order += "child ";
    return 1;
  });
  greenlet_ptr other = greenlet::make([&] {
    child->resume();
    order += "never";
  });
  EXPECT_EQ(other->switch_to().take<int>(), 1);
  EXPECT_EQ(order, "child ");
}

TEST(greenlet_finish, goes_to_the_nearest_live_ancestor_of_a_dead_parent) {
  greenlet_ptr parent = greenlet::make([] {});
  greenlet_ptr child = greenlet::make([] { return 3; }, {.parent = parent.get()});
  parent->resume();
  EXPECT_TRUE(parent->dead());
  EXPECT_EQ(child->switch_to().take<int>(), 3);
}

TEST(greenlet_finish, starts_an_unstarted_parent_with_the_value) {
  greenlet_ptr parent = greenlet::make([](switch_value passed) { return passed.take<int>() + 1; });
  greenlet_ptr child = greenlet::make([] { return 1; }, {.parent = parent.get()});
  EXPECT_EQ(child->switch_to().take<int>(), 2);
  EXPECT_TRUE(parent->dead());
}

TEST(greenlet_finish, kills_an_unstarted_parent_with_an_exception) {
  bool ran = false;
  greenlet_ptr parent = greenlet::make([&] { ran = true; });
  greenlet_ptr child = greenlet::make([] { throw std::runtime_error("escaped"); }, {.parent = parent.get()});
  EXPECT_THROW(child->resume(), std::runtime_error);
  EXPECT_TRUE(parent->dead());
  EXPECT_FALSE(ran);
}

TEST(greenlet_finish, keeps_its_exception_when_what_an_unstarted_parent_holds_switches_as_it_goes) {
  greenlet_ptr suspended = greenlet::make([] { greenlet::main().resume(); });
  suspended->resume();
  greenlet_ptr parent = greenlet::make([held = std::move(suspended)] {});
  greenlet_ptr child = greenlet::make([] { throw std::runtime_error("escaped"); }, {.parent = parent.get()});
  EXPECT_THROW(child->resume(), std::runtime_error);
  EXPECT_TRUE(child->dead());

  struct starter {
    bool* started;
    ~starter() {
      if (started != nullptr) greenlet::make([this] { *started = true; })->resume();
    }
    explicit starter(bool& flag) : started(&flag) {}
    starter(starter&& other) noexcept : started(std::exchange(other.started, nullptr)) {}
  };
  bool started = false;
  parent = greenlet::make([held = starter(started)] {});
  child = greenlet::make([] { throw std::runtime_error("escaped"); }, {.parent = parent.get()});
  EXPECT_THROW(child->resume(), std::runtime_error);
  EXPECT_TRUE(started);
}

TEST(greenlet_finish, of_a_dead_target_gives_my_own_value_back_if_i_am_the_ancestor) {
  greenlet_ptr child = greenlet::make([] {});
  child->resume();
  EXPECT_EQ(child->switch_to(9).take<int>(), 9);
}

TEST(greenlet_throw, raises_at_the_pending_switch) {
  greenlet& me = greenlet::current();
  greenlet_ptr child = greenlet::make([&]() -> int {
    try {
      me.resume();
    } catch (const std::runtime_error&) {
      return 1;
    }
    return 2;
  });
  child->resume();
  EXPECT_EQ(child->throw_in(std::make_exception_ptr(std::runtime_error("thrown"))).take<int>(), 1);
}

TEST(greenlet_throw, without_an_exception_is_greenlet_exit) {
  greenlet& me = greenlet::current();
  greenlet_ptr child = greenlet::make([&] { me.resume(); });
  child->resume();
  EXPECT_TRUE(child->throw_in().is<greenlet_exit>());
  EXPECT_TRUE(child->dead());
}

TEST(greenlet_throw, of_greenlet_exit_may_be_caught_and_ignored) {
  greenlet& me = greenlet::current();
  greenlet_ptr child = greenlet::make([&] {
    try {
      me.resume();
    } catch (const greenlet_exit&) {
      return me.switch_to(1).take<int>();
    }
    return 0;
  });
  child->resume();
  EXPECT_EQ(child->throw_in().take<int>(), 1);
  EXPECT_TRUE(child->active());
  EXPECT_EQ(child->switch_to(8).take<int>(), 8);
}

TEST(greenlet_throw, into_an_unstarted_one_goes_to_its_parent_and_never_runs_it) {
  bool ran = false;
  std::string seen;
  greenlet_ptr parent = greenlet::make([&] {
    try {
      greenlet::main().resume();
    } catch (const std::runtime_error& error) {
      seen = error.what();
    }
  });
  parent->resume();
  greenlet_ptr child = greenlet::make([&] { ran = true; }, {.parent = parent.get()});
  child->throw_in(std::make_exception_ptr(std::runtime_error("to the parent")));
  EXPECT_EQ(seen, "to the parent");
  EXPECT_TRUE(child->dead());
  EXPECT_FALSE(ran);
}

TEST(greenlet_throw, of_greenlet_exit_into_an_unstarted_one_is_returned) {
  greenlet_ptr child = greenlet::make([] {});
  EXPECT_TRUE(child->throw_in().is<greenlet_exit>());
  EXPECT_TRUE(child->dead());
}

TEST(greenlet_throw, into_a_dead_one_returns_greenlet_exit_and_raises_others) {
  greenlet_ptr child = greenlet::make([] {});
  child->resume();
  EXPECT_TRUE(child->throw_in().is<greenlet_exit>());
  EXPECT_THROW(child->throw_in(std::make_exception_ptr(std::runtime_error("late"))), std::runtime_error);
}

TEST(greenlet_throw, into_itself_raises_at_once) {
  EXPECT_THROW(greenlet::current().throw_in(std::make_exception_ptr(1)), int);
}

TEST(greenlet_throw, goes_on_through_the_chain_of_parents) {
  greenlet_ptr outer = greenlet::make([] {
    greenlet_ptr inner = greenlet::make([] { throw std::runtime_error("deep"); });
    inner->resume();
    FAIL() << "the exception passes";
  });
  EXPECT_THROW(outer->resume(), std::runtime_error);
}

}  // namespace
}  // namespace grove
