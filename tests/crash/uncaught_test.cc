// SPDX-License-Identifier: Apache-2.0
#include "base/uncaught.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <exception>
#include <stdexcept>

#include "tests/support/core_dumps.h"

namespace grove {
namespace {

struct turn_trouble {};

// The compiler must not see that what is called throws: it refuses a throw that always ends the program.
[[gnu::noipa]] void throw_that_the_disk_is_full() {
  throw std::runtime_error("the disk is full");
}
[[gnu::noipa]] void throw_turn_trouble() {
  throw turn_trouble();
}

TEST(uncaught, names_the_type_and_the_text_of_what_left_a_destructor) {
  const auto program = [] {
    test::disable_core_dumps();
    install_uncaught_report();
    struct throws {
      ~throws() { throw_that_the_disk_is_full(); }  // NOLINT(bugprone-exception-escape)
    } const guard;
  };
  EXPECT_EXIT(program(), testing::KilledBySignal(SIGABRT),
              "nothing could catch: std::runtime_error: the disk is full; .*a destructor");
}

TEST(uncaught, names_a_type_that_has_no_text) {
  const auto program = [] {
    test::disable_core_dumps();
    install_uncaught_report();
    []() noexcept { throw_turn_trouble(); }();  // NOLINT(bugprone-exception-escape)
  };
  EXPECT_EXIT(program(), testing::KilledBySignal(SIGABRT), "nothing could catch: .*turn_trouble; it had no handler");
}

TEST(uncaught, says_that_there_was_no_exception) {
  const auto program = [] {
    test::disable_core_dumps();
    install_uncaught_report();
    std::terminate();
  };
  EXPECT_EXIT(program(), testing::KilledBySignal(SIGABRT), "was called, and not because of an exception");
}

}  // namespace
}  // namespace grove
