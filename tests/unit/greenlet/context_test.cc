// SPDX-License-Identifier: Apache-2.0
#include "worker/greenlet/context.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <thread>

#include "worker/greenlet/greenlet.h"

namespace grove {
namespace {

const context_var<int> number(7);
const context_var<std::string> text;

class greenlet_context : public testing::Test {
 protected:
  ~greenlet_context() override { set_context(greenlet::current(), {}); }
};

TEST_F(greenlet_context, starts_empty_whatever_the_maker_has) {
  number.set(1);
  text.set("mine");
  greenlet_ptr child = greenlet::make([] {
    EXPECT_EQ(*number.get(), 7);
    EXPECT_EQ(text.get(), nullptr);
    number.set(2);
    greenlet::main().resume();
    EXPECT_EQ(*number.get(), 2);
  });
  EXPECT_FALSE(context_of(*child));
  child->resume();
  EXPECT_EQ(*number.get(), 1);
  child->resume();
  EXPECT_EQ(*text.get(), "mine");
}

TEST_F(greenlet_context, can_be_shared) {
  number.set(1);
  greenlet_ptr child = greenlet::make([] {
    EXPECT_EQ(*number.get(), 1);
    number.set(2);
  });
  set_context(*child, context_of(greenlet::current()));
  EXPECT_EQ(context_of(*child), context_of(greenlet::current()));
  child->resume();
  EXPECT_EQ(*number.get(), 2);
}

TEST_F(greenlet_context, can_be_copied) {
  number.set(1);
  greenlet_ptr child = greenlet::make([] {
    EXPECT_EQ(*number.get(), 1);
    number.set(2);
  });
  set_context(*child, context_of(greenlet::current()).copy());
  child->resume();
  EXPECT_EQ(*number.get(), 1);
  EXPECT_FALSE(context().copy());
}

TEST_F(greenlet_context, can_be_changed_in_every_state) {
  std::string seen;
  const auto given = [](int value) {
    const context mine = context_of(greenlet::current());
    set_context(greenlet::current(), context::make());
    number.set(value);
    context made = context_of(greenlet::current());
    set_context(greenlet::current(), mine);
    return made;
  };
  greenlet_ptr child = greenlet::make([&] {
    for (int i = 0; i < 2; ++i) {
      seen += std::to_string(*number.get());
      greenlet::main().resume();
    }
    set_context(greenlet::current(), {});
    seen += std::to_string(*number.get());
  });
  set_context(*child, given(1));
  child->resume();
  set_context(*child, given(2));
  child->resume();
  child->resume();
  EXPECT_EQ(seen, "127");
  ASSERT_TRUE(child->dead());
  set_context(*child, given(3));
  EXPECT_TRUE(context_of(*child));
}

TEST_F(greenlet_context, can_be_given_back_its_initial_value) {
  number.set(1);
  number.reset();
  EXPECT_EQ(*number.get(), 7);
}

TEST_F(greenlet_context, of_another_threads_greenlet_is_an_error) {
  greenlet& mine = greenlet::current();
  std::thread([&] {
    EXPECT_THROW((void)context_of(mine), greenlet_error);
    EXPECT_THROW(set_context(mine, {}), greenlet_error);
  }).join();
}

}  // namespace
}  // namespace grove
