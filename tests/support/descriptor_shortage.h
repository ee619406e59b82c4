// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstddef>
#include <vector>

#include "base/fd.h"
#include "worker/greenlet/sanitizer.h"

namespace grove::test {

/// Built with UndefinedBehaviorSanitizer a program cannot be run without descriptors: where one is missing, every virtual
/// call is reported as one of an object that is none. To be said where a test is skipped.
#ifdef GROVE_ASAN
inline constexpr bool is_misjudged_without_descriptors = true;
#else
inline constexpr bool is_misjudged_without_descriptors = false;
#endif
inline constexpr const char* misjudged_without_descriptors =
    "built with it, UndefinedBehaviorSanitizer looks at objects through a pipe, and none can be made here";

/// This process may open few descriptors, and has all of them but as many as the test lets go.
class descriptor_shortage {
 public:
  descriptor_shortage() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit small{300, before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &small);
    take_all();
  }
  ~descriptor_shortage() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  descriptor_shortage(const descriptor_shortage&) = delete;
  descriptor_shortage& operator=(const descriptor_shortage&) = delete;

  /// Exactly so many can be opened now.
  void leave(std::size_t free) {
    take_all();
    taken_.resize(taken_.size() - free);
  }

 private:
  void take_all() {
    while (unique_fd copy{::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)})
      taken_.push_back(std::move(copy));
  }

  rlimit before_{};
  std::vector<unique_fd> taken_;
};

}  // namespace grove::test
