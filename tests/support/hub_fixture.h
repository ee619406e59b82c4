// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <exception>
#include <string>
#include <vector>

#include "base/clock.h"
#include "worker/hub/hub.h"

namespace grove {

/// A hub. Tear-down fails on what was left behind and on errors that nobody expected.
template <typename Clock>
class basic_hub_fixture : public testing::Test {
 protected:
  basic_hub_fixture() {
    loop.set_error_handler([this](std::string_view where, const std::exception_ptr& error) {
      try {
        std::rethrow_exception(error);
      } catch (const std::exception& thrown) {
        errors.push_back(std::string(where) + ": " + thrown.what());
      } catch (...) {
        errors.push_back(std::string(where) + ": unknown");
      }
    });
  }

  void TearDown() override {
    loop.run_ready();
    loop.check_invariants();
    EXPECT_EQ(loop.live_tasks(), 0U);
    EXPECT_EQ(loop.waiting(), 0U);
    EXPECT_EQ(loop.armed_timers(), 0U);
    EXPECT_EQ(errors, expected_errors);
  }

  Clock time;
  hub loop{time};
  std::vector<std::string> errors;
  std::vector<std::string> expected_errors;
};

/// On a clock of its own.
class hub_fixture : public basic_hub_fixture<manual_clock> {
 protected:
  /// Moves time and runs what becomes ready.
  void advance(steady_duration step) {
    time.advance(step);
    loop.run_ready();
    loop.check_invariants();
  }
};

}  // namespace grove
