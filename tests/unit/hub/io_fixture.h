// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <exception>
#include <filesystem>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "worker/hub/hub.h"
#include "worker/hub/task.h"

namespace grove {

/// The descriptors of the process.
inline std::size_t open_fds() {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}));
}

struct pipe_ends {
  unique_fd read;
  unique_fd write;
};

inline pipe_ends make_pipe() {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC | O_NONBLOCK) != 0) throw std::system_error(errno, std::system_category(), "pipe2");
  return {unique_fd(fds[0]), unique_fd(fds[1])};
}

/// A hub on the machine's clock, for what the kernel does in its own time. Tear-down fails on what was left behind and
/// on errors that nobody expected.
class io_fixture : public testing::Test {
 protected:
  io_fixture() {
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
    EXPECT_EQ(loop.live_tasks(), 0U);
    EXPECT_EQ(loop.waiting(), 0U);
    EXPECT_EQ(loop.armed_timers(), 0U);
    EXPECT_EQ(errors, expected_errors);
  }

  /// Runs the loop until `body` has run in a greenlet.
  template <typename F>
  void in_greenlet(F body) {
    auto task = spawn([&] { body(); });
    task->link([this](task_base&) { loop.stop(); });
    loop.run();
    task->get();
  }

  system_clock time;
  hub loop{time};
  std::vector<std::string> errors;
  std::vector<std::string> expected_errors;
};

}  // namespace grove
