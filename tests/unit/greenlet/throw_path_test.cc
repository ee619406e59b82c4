// SPDX-License-Identifier: Apache-2.0
#include "worker/greenlet/throw_path.h"

#include <gtest/gtest.h>

#include <exception>
#include <optional>
#include <stdexcept>
#include <string>

#include "worker/greenlet/greenlet.h"

namespace grove {
namespace {

struct outside_of_std {};
struct base_error {
  virtual ~base_error() = default;
};
struct derived_error : virtual base_error {};

const std::exception_ptr plain = std::make_exception_ptr(outside_of_std());

std::optional<bool> answer;

[[gnu::noinline]] void ask(const std::exception_ptr& thrown) {
  answer = would_end_process(thrown);
}

[[gnu::noinline]] void ask_in_noexcept(const std::exception_ptr& thrown) noexcept {
  ask(thrown);
}

bool asked_in(void (*call)(const std::exception_ptr&), const std::exception_ptr& thrown) {
  answer.reset();
  try {
    call(thrown);
  } catch (...) {
    ADD_FAILURE() << "nothing is thrown";
  }
  return answer.value();
}

struct asks_when_destroyed {
  const std::exception_ptr& thrown;
  ~asks_when_destroyed() { ask(thrown); }
};

// Clang's tables cannot tell.
#ifdef __clang__
constexpr bool is_known = false;
#else
constexpr bool is_known = true;
#endif

TEST(throw_path, leads_to_a_handler_of_everything) {
  EXPECT_FALSE(asked_in(&ask, plain));
}

TEST(throw_path, ends_at_a_function_that_lets_nothing_out) {
  EXPECT_EQ(asked_in(&ask_in_noexcept, plain), is_known);
  EXPECT_EQ(asked_in([](const std::exception_ptr& thrown) { const asks_when_destroyed local{thrown}; }, plain),
            is_known)
      << "a destructor at the normal end of a scope";
  EXPECT_EQ(asked_in(
                [](const std::exception_ptr& thrown) {
                  try {
                    const asks_when_destroyed local{thrown};
                    throw std::runtime_error("unwinds");
                  } catch (const std::runtime_error&) {
                  }
                },
                plain),
            is_known)
      << "a destructor while the stack unwinds";
}

TEST(throw_path, leads_to_a_handler_before_such_a_function) {
  EXPECT_FALSE(asked_in(
      [](const std::exception_ptr& thrown) noexcept {
        try {
          ask(thrown);
        } catch (const outside_of_std&) {
          ADD_FAILURE() << "nothing is thrown";
        }
      },
      plain));
}

TEST(throw_path, passes_handlers_of_other_types) {
  const auto call = [](const std::exception_ptr& thrown) noexcept {
    try {
      ask(thrown);
    } catch (const std::exception&) {
      ADD_FAILURE() << "nothing is thrown";
    }
  };
  EXPECT_EQ(asked_in(call, plain), is_known);
  EXPECT_FALSE(asked_in(call, std::make_exception_ptr(std::out_of_range("derived")))) << "a class derived from it";
}

TEST(throw_path, knows_virtual_bases_and_pointers) {
  const auto by_base = [](const std::exception_ptr& thrown) noexcept {
    try {
      ask(thrown);
    } catch (const base_error&) {
      ADD_FAILURE() << "nothing is thrown";
    }
  };
  EXPECT_FALSE(asked_in(by_base, std::make_exception_ptr(derived_error())));
  const auto by_pointer = [](const std::exception_ptr& thrown) noexcept {
    try {
      ask(thrown);
    } catch (const base_error*) {
      ADD_FAILURE() << "nothing is thrown";
    }
  };
  static derived_error error;
  EXPECT_FALSE(asked_in(by_pointer, std::make_exception_ptr(&error)));
  EXPECT_EQ(asked_in(by_pointer, std::make_exception_ptr(1)), is_known);
}

struct quiet_guard {
  explicit quiet_guard(int& of) noexcept : of_(of) {}
  ~quiet_guard() { ++of_; }
  int& of_;
};

TEST(throw_path, knows_functions_that_have_something_to_clean_up) {
  static int cleaned = 0;
  const auto open = [](const std::exception_ptr& thrown) {
    const quiet_guard local(cleaned);
    ask(thrown);
  };
  EXPECT_FALSE(asked_in(open, plain));
  const auto open_with_handler = [](const std::exception_ptr& thrown) {
    const quiet_guard local(cleaned);
    try {
      const std::string text = "something that is longer than what a string has room for";
      ask(thrown);
    } catch (const std::exception&) {
      ADD_FAILURE() << "nothing is thrown";
    }
  };
  EXPECT_FALSE(asked_in(open_with_handler, plain));
  const auto shut = [](const std::exception_ptr& thrown) noexcept {
    const quiet_guard local(cleaned);
    ask(thrown);
  };
  EXPECT_EQ(asked_in(shut, plain), is_known);
  const auto shut_with_handler = [](const std::exception_ptr& thrown) noexcept {
    const quiet_guard local(cleaned);
    try {
      const std::string text = "something that is longer than what a string has room for";
      ask(thrown);
    } catch (const std::exception&) {
      ADD_FAILURE() << "nothing is thrown";
    }
  };
  EXPECT_EQ(asked_in(shut_with_handler, plain), is_known);
  EXPECT_FALSE(asked_in(shut_with_handler, std::make_exception_ptr(std::runtime_error("caught"))));
  EXPECT_EQ(cleaned, 5);
}

[[gnu::noinline]] void ask_and_pass_on(const std::exception_ptr& thrown, const void* owner) {
  try {
    answer = would_end_process(thrown, owner);
  } catch (const outside_of_std&) {
    throw;
  }
}

TEST(throw_path, passes_handlers_further_in_than_its_owner) {
  const auto call = [](const std::exception_ptr& thrown) {
    const int owner = 0;
    [&]() noexcept { ask_and_pass_on(thrown, &owner); }();
  };
  EXPECT_EQ(asked_in(call, plain), is_known);
  const auto open = [](const std::exception_ptr& thrown) {
    const int owner = 0;
    ask_and_pass_on(thrown, &owner);
  };
  EXPECT_FALSE(asked_in(open, plain)) << "there is a handler further out";
}

TEST(throw_path, is_found_from_a_suspended_greenlet) {
  const auto look = [](void*) { ask(plain); };
  greenlet_ptr bare = greenlet::make([] { greenlet::main().resume(); });
  greenlet_ptr shut = greenlet::make([]() noexcept { greenlet::main().resume(); });
  EXPECT_FALSE(look_from(*bare, look, nullptr)) << "not started";
  bare->resume();
  shut->resume();
  ASSERT_TRUE(look_from(*bare, look, nullptr));
  EXPECT_FALSE(answer.value());
  ASSERT_TRUE(look_from(*shut, look, nullptr));
  EXPECT_EQ(answer.value(), is_known);
  shut->resume();
}

}  // namespace
}  // namespace grove
