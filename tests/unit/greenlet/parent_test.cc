// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "worker/greenlet/greenlet.h"

namespace grove {
namespace {

TEST(greenlet_parent, is_the_greenlet_that_made_it) {
  greenlet_ptr child;
  greenlet_ptr grandchild;
  child = greenlet::make([&] { grandchild = greenlet::make([] {}); });
  child->resume();
  EXPECT_EQ(child->parent(), &greenlet::current());
  EXPECT_EQ(grandchild->parent(), child.get());
}

TEST(greenlet_parent, of_main_is_null_and_cannot_be_set) {
  EXPECT_EQ(greenlet::main().parent(), nullptr);
  greenlet_ptr child = greenlet::make([] {});
  EXPECT_THROW(greenlet::main().set_parent(*child), greenlet_error);
}

TEST(greenlet_parent, refuses_cycles) {
  greenlet_ptr first = greenlet::make([] {});
  greenlet_ptr second = greenlet::make([] {}, {.parent = first.get()});
  greenlet_ptr third = greenlet::make([] {}, {.parent = second.get()});
  EXPECT_THROW(first->set_parent(*first), greenlet_error);
  EXPECT_THROW(first->set_parent(*third), greenlet_error);
  EXPECT_EQ(first->parent(), &greenlet::current());
}

TEST(greenlet_parent, can_change_while_it_is_suspended) {
  greenlet_ptr other = greenlet::make([](switch_value passed) { return passed.take<int>() * 10; });
  greenlet_ptr child = greenlet::make([] {
    greenlet::main().resume();
    return 4;
  });
  child->resume();
  child->set_parent(*other);
  EXPECT_EQ(child->switch_to().take<int>(), 40);
}

TEST(greenlet_parent, is_kept_alive_by_its_child) {
  greenlet_ptr child;
  {
    greenlet_ptr parent = greenlet::make([](switch_value passed) { return passed.take<int>() + 1; });
    child = greenlet::make([] { return 1; }, {.parent = parent.get()});
  }
  EXPECT_EQ(child->switch_to().take<int>(), 2);
}

TEST(greenlet_parent, chains_of_any_length_are_released) {
  greenlet_ptr last = greenlet::make([] {});
  for (int i = 0; i < 200'000; ++i)
    last = greenlet::make([] {}, {.parent = last.get()});
}

}  // namespace
}  // namespace grove
