// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "tests/unit/greenlet/unwinding.h"
#include "worker/greenlet/generator.h"
#include "worker/greenlet/greenlet.h"

namespace grove {
namespace {

TEST(greenlet_drop, unwinds_a_suspended_greenlet) {
  const reports seen;
  bool destroyed = false;
  greenlet_ptr child = greenlet::make([&] {
    const set_at_end guard{destroyed};
    greenlet::main().resume();
  });
  child->resume();
  EXPECT_FALSE(destroyed);
  child.reset();
  EXPECT_TRUE(destroyed);
  EXPECT_TRUE(seen.texts.empty());
}

TEST(greenlet_drop, of_an_unstarted_one_runs_nothing) {
  bool ran = false;
  (void)greenlet::make([&] { ran = true; });
  EXPECT_FALSE(ran);
}

TEST(greenlet_drop, of_one_handle_of_two_does_nothing) {
  greenlet_ptr child = greenlet::make([] { greenlet::main().resume(); });
  child->resume();
  greenlet_ptr second = child;
  child.reset();
  EXPECT_TRUE(second->active());
}

TEST(greenlet_drop, unwinds_while_the_dropper_has_an_exception_in_flight) {
  bool destroyed = false;
  try {
    greenlet_ptr child = greenlet::make([&] {
      const set_at_end guard{destroyed};
      EXPECT_EQ(std::uncaught_exceptions(), 0);
      greenlet::main().resume();
    });
    child->resume();
    throw std::runtime_error("in flight");
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "in flight");
  }
  EXPECT_TRUE(destroyed);
}

TEST(greenlet_drop, has_the_dropper_as_parent_meanwhile) {
  greenlet* parent_seen = nullptr;
  greenlet_ptr other = greenlet::make([] {});
  greenlet_ptr child = greenlet::make(
      [&] {
        try {
          greenlet::main().resume();
        } catch (...) {
          parent_seen = greenlet::current().parent();
          throw;
        }
      },
      {.parent = other.get()});
  child->resume();
  greenlet_ptr dropper = greenlet::make([&] {
    child.reset();
    return parent_seen == &greenlet::current();
  });
  EXPECT_TRUE(dropper->switch_to().take<bool>());
  EXPECT_FALSE(other->started());
}

TEST(greenlet_drop, may_be_survived_by_storing_a_handle) {
  greenlet_ptr saved;
  greenlet_ptr child = greenlet::make([&] {
    greenlet& me = greenlet::current();
    try {
      greenlet::main().resume();
    } catch (const greenlet_exit&) {
      saved = greenlet_ptr(&me);
    }
    greenlet::main().resume();
    return 5;
  });
  child->resume();
  child.reset();
  ASSERT_TRUE(saved);
  EXPECT_TRUE(saved->active());
  EXPECT_EQ(saved->parent(), &greenlet::main());
  EXPECT_EQ(saved->switch_to().take<int>(), 5);
}

TEST(greenlet_drop, reports_a_swallowed_exit) {
  reports seen;
  greenlet_ptr child = greenlet::make(
      [] {
        try {
          greenlet::main().resume();
        } catch (...) {  // swallows everything
        }
      },
      {.name = "swallower"});
  child->resume();
  child.reset();
  ASSERT_EQ(seen.texts.size(), 1U);
  EXPECT_NE(seen.texts[0].find("swallower: swallowed greenlet_exit"), std::string::npos);
}

TEST(greenlet_drop, throws_again_into_one_that_swallows_and_switches_away) {
  reports seen;
  bool destroyed = false;
  greenlet_ptr child = greenlet::make([&] {
    const set_at_end guard{destroyed};
    for (int i = 0; i < 3; ++i) {
      try {
        greenlet::main().resume();
      } catch (...) {  // swallows everything
      }
    }
    greenlet::main().resume();
  });
  child->resume();
  child.reset();
  EXPECT_TRUE(destroyed);
  EXPECT_EQ(seen.texts.size(), 1U);
}

struct switches_at_end {
  std::string& said;
  int times = 1;
  ~switches_at_end() {
    for (int i = 0; i < times; ++i)
      greenlet::main().resume();
    said += "after ";
  }
};

TEST(greenlet_drop, lets_a_destructor_that_switches_away_go_on) {
  reports seen;
  std::string said;
  greenlet_ptr child = greenlet::make([&] {
    const switches_at_end outer{said, 3};
    const switches_at_end inner{said};
    greenlet::main().resume();
  });
  child->resume();
  child.reset();
  EXPECT_EQ(said, "after after ");
  ASSERT_EQ(seen.texts.size(), 1U);
  EXPECT_NE(seen.texts[0].find("switched away in a destructor"), std::string::npos);
}

TEST(greenlet_drop, of_one_in_a_destructor_lets_that_go_on_and_unwinds_then) {
  reports seen;
  std::string said;
  greenlet_ptr child = greenlet::make([&] {
    try {
      const switches_at_end guard{said};
      throw std::runtime_error("its own");
    } catch (const std::runtime_error&) {
      said += "caught ";
    }
    bool destroyed = false;
    try {
      const set_at_end guard{destroyed};
      greenlet::main().resume();
    } catch (const greenlet_exit&) {
      said += destroyed ? "unwound" : "";
      throw;
    }
  });
  child->resume();
  child.reset();
  EXPECT_EQ(said, "after caught unwound");
}

TEST(greenlet_drop, lets_a_destructor_go_on_that_is_in_a_generator) {
  reports seen;
  std::string said;
  greenlet_ptr child = greenlet::make([&] {
    struct iterates_at_end {
      std::string& into;
      ~iterates_at_end() {
        generator<int> switching([](genlet<int>& to) {
          greenlet::main().resume();
          to.yield(1);
        });
        into += std::to_string(*switching.begin());
      }
    };
    const iterates_at_end guard{said};
    greenlet::main().resume();
  });
  child->resume();
  child.reset();
  EXPECT_EQ(said, "1");
}

TEST(greenlet_drop, reports_another_exception) {
  reports seen;
  greenlet_ptr child = greenlet::make([] {
    try {
      greenlet::main().resume();
    } catch (...) {
      throw std::runtime_error("other");
    }
  });
  child->resume();
  child.reset();
  ASSERT_EQ(seen.texts.size(), 1U);
  EXPECT_NE(seen.texts[0].find("other"), std::string::npos);
}

TEST(greenlet_drop, by_itself_lets_it_run_on_until_it_switches_away) {
  bool destroyed = false;
  bool ran_on = false;
  greenlet_ptr child;
  child = greenlet::make([&] {
    const set_at_end guard{destroyed};
    child.reset();
    ran_on = true;
    greenlet::main().resume();
  });
  child->resume();
  EXPECT_TRUE(ran_on);
  EXPECT_TRUE(destroyed);
}

TEST(greenlet_drop, by_itself_before_the_end_is_harmless) {
  greenlet_ptr child;
  child = greenlet::make([&] {
    child.reset();
    return 6;
  });
  EXPECT_EQ(child->switch_to().take<int>(), 6);
}

TEST(greenlet_drop, of_a_suspended_one_drops_what_it_holds) {
  bool destroyed = false;
  greenlet_ptr outer = greenlet::make([&] {
    greenlet& self = greenlet::current();
    greenlet_ptr inner = greenlet::make(
        [&] {
          const set_at_end guard{destroyed};
          self.resume();
        },
        {.parent = &greenlet::main()});
    inner->resume();
    greenlet::main().resume();
  });
  outer->resume();
  outer.reset();
  EXPECT_TRUE(destroyed);
}

// The switch must not look at its target when it returns: found by AddressSanitizer.
TEST(greenlet_drop, of_the_one_that_another_has_switched_to_leaves_that_other_whole) {
  for (const bool with_value : {false, true}) {
    greenlet_ptr target = greenlet::make([] { greenlet::main().resume(); });
    std::string seen;
    const greenlet_ptr other = greenlet::make([&seen, with_value, to = target.get()] {
      try {
        with_value ? (void)to->switch_to(1) : to->resume();
      } catch (const std::runtime_error& thrown) {
        seen = thrown.what();
      }
    });
    other->resume();
    target.reset();
    other->throw_in(std::make_exception_ptr(std::runtime_error("still here")));
    EXPECT_EQ(seen, "still here");
  }
}

TEST(greenlet_drop, does_not_lose_a_value_that_is_under_way) {
  struct dropper {
    greenlet_ptr held;
  };
  greenlet_ptr suspended = greenlet::make([] { greenlet::main().resume(); });
  suspended->resume();
  // The callable is destroyed, and with it the last handle of a suspended greenlet, while 12 is on its way to main.
  greenlet_ptr child = greenlet::make([held = dropper{std::move(suspended)}] { return 12; });
  EXPECT_EQ(child->switch_to().take<int>(), 12);
}

TEST(greenlet_drop, of_one_that_has_just_finished_by_its_own_result_frees_it_once) {
  greenlet_ptr child;
  child = greenlet::make([&] { return std::move(child); });
  child->resume();  // its last handle goes with the result, which nobody takes
  EXPECT_FALSE(child);
}

TEST(greenlet_drop, of_the_last_child_of_one_that_has_just_finished_frees_both_once) {
  greenlet_ptr parent;
  parent = greenlet::make([&] {
    parent.reset();
    return greenlet::make([] {});
  });
  parent->resume();  // the last handle of the parent is the child's, and the result the last one of the child
  EXPECT_FALSE(parent);
}

}  // namespace
}  // namespace grove
