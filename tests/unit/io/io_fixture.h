// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <system_error>

#include "base/fd.h"
#include "tests/support/hub_fixture.h"
#include "worker/tasks/task.h"

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

/// On the machine's clock, for what the kernel does in its own time.
class io_fixture : public basic_hub_fixture<system_clock> {
 protected:
  /// Runs the loop until `body` has run in a greenlet.
  template <typename F>
  void in_greenlet(F body) {
    auto task = spawn([&] { body(); });
    task->link([this](task_base&) { loop.stop(); });
    loop.run();
    task->get();
  }
};

}  // namespace grove
