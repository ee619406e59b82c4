// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string_view>

namespace grove {

/// What a process that is about to die says on stderr: past the log, whose locks may be held. A reader that stalls does
/// not keep it alive: what was not taken when `patience` is over, in all, is lost.
/// Affinity: async-signal-safe.
class last_words {
 public:
  explicit last_words(std::chrono::milliseconds patience = std::chrono::milliseconds{250}) noexcept;

  void say(std::string_view text) noexcept;

  /// The stack of the caller, a line a frame. The first use in a process loads a library, which allocates; a process that
  /// will say it in a signal handler calls backtrace() before.
  void say_stack() noexcept;

 private:
  [[nodiscard]] bool wait_until_writable() noexcept;

  std::chrono::steady_clock::time_point deadline_;
};

}  // namespace grove
