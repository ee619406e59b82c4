// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"

namespace grove {

/// Keeps one kind of line from flooding the log: lets ten a second through, and knows how many it did not.
/// Affinity: one thread.
class line_limit {
 public:
  /// Whether a line may be written at `now`.
  [[nodiscard]] bool admits(steady_time now) noexcept;

  /// The end of a line that was let through: how many were not since this was asked last, or nothing.
  [[nodiscard]] std::string take_kept_quiet();

 private:
  steady_time window_began_{};
  int lines_ = 0;
  std::uint64_t kept_quiet_ = 0;
};

}  // namespace grove
