// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/fd.h"

namespace grove {

/// A descriptor kept for the time when a process has no other one left: whoever gives it up can take what waits, tell it
/// why it cannot be served, and close it.
/// Affinity: one thread.
class descriptor_reserve {
 public:
  descriptor_reserve() noexcept { (void)retake(); }

  /// Gives it up, so that the next call that makes a descriptor can.
  void release() noexcept { kept_.reset(); }

  /// Takes it back. False: what was made meanwhile was the last one, and the reserve stays empty.
  [[nodiscard]] bool retake() noexcept;

  /// Whether there is another descriptor beside the reserve.
  [[nodiscard]] bool has_spare() noexcept;

 private:
  unique_fd kept_;
};

/// Whether a call failed because the process or the system has no descriptor or no memory left for what it makes.
[[nodiscard]] bool is_shortage(int error) noexcept;

/// For the log and for who is refused: "Too many open files (EMFILE; this process may have 1024: ulimit -n,
/// LimitNOFILE=)".
[[nodiscard]] std::string shortage_text(int error);

}  // namespace grove
