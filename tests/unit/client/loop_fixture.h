// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <asio/io_context.hpp>
#include <chrono>

#include "base/clock.h"

namespace grove::test {

/// A loop that the test itself runs.
class loop_fixture : public ::testing::Test {
 protected:
  /// Runs the loop until `met()`; fails the test when that does not come.
  template <class Condition>
  void run_until(Condition met) {
    const auto give_up = time_after(std::chrono::steady_clock::now(), std::chrono::seconds{60});
    while (!met()) {
      if (std::chrono::steady_clock::now() > give_up) FAIL() << "the condition was not met within 60 s";
      io.restart();
      io.run_one_for(std::chrono::milliseconds{100});
    }
  }

  asio::io_context io{1};
};

}  // namespace grove::test
