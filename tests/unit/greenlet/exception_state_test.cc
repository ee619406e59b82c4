// SPDX-License-Identifier: Apache-2.0

// The ABI keeps the exceptions that are being handled once a thread. Stack switching that does not know it mixes the
// exceptions of greenlets up; these tests are named after what breaks then.

#include <gtest/gtest.h>

#include <exception>
#include <stdexcept>
#include <string>

#include "worker/greenlet/greenlet.h"

namespace grove {
namespace {

struct switches_in_destructor {
  greenlet& to;
  int& in_flight;
  ~switches_in_destructor() {
    to.resume();
    in_flight = std::uncaught_exceptions();
  }
};

TEST(exception_state, uncaught_exceptions_is_not_seen_by_other_greenlets) {
  int in_flight = -1;
  greenlet_ptr child = greenlet::make([&] {
    try {
      const switches_in_destructor guard{greenlet::main(), in_flight};
      throw std::runtime_error("in flight during the switch");
    } catch (const std::runtime_error&) {
      return std::uncaught_exceptions();
    }
  });
  child->resume();
  EXPECT_EQ(std::uncaught_exceptions(), 0);
  const int after = child->switch_to().take<int>();
  EXPECT_EQ(in_flight, 1);
  EXPECT_EQ(after, 0);
}

TEST(exception_state, rethrow_after_a_switch_throws_my_own_exception) {
  std::string rethrown;
  greenlet_ptr child = greenlet::make([&] {
    try {
      throw std::runtime_error("child");
    } catch (...) {
      greenlet::main().resume();
      try {
        throw;
      } catch (const std::runtime_error& error) {
        rethrown = error.what();
      }
    }
  });
  try {
    throw std::runtime_error("main");
  } catch (...) {
    child->resume();
    try {
      throw;
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "main");
    }
    child->resume();
  }
  EXPECT_EQ(rethrown, "child");
  EXPECT_EQ(std::current_exception(), nullptr);
}

TEST(exception_state, catch_blocks_may_end_in_another_order_than_they_began) {
  std::string order;
  const auto body = [&order](const char* name) {
    return [&order, name] {
      try {
        throw std::runtime_error(name);
      } catch (const std::runtime_error& error) {
        greenlet::main().resume();
        order += error.what();
      }
      EXPECT_EQ(std::current_exception(), nullptr);
    };
  };
  greenlet_ptr first = greenlet::make(body("1"));
  greenlet_ptr second = greenlet::make(body("2"));
  greenlet_ptr third = greenlet::make(body("3"));
  first->resume();
  second->resume();
  third->resume();
  second->resume();
  first->resume();
  third->resume();
  EXPECT_EQ(order, "213");
}

TEST(exception_state, a_new_greenlet_starts_without_exceptions) {
  try {
    throw std::runtime_error("being handled");
  } catch (...) {
    greenlet_ptr child = greenlet::make([] { return std::current_exception() == nullptr; });
    EXPECT_TRUE(child->switch_to().take<bool>());
  }
}

}  // namespace
}  // namespace grove
