// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/clock.h"

namespace grove {

/// Keeps one kind of line from flooding the log: lets some in a time through, and knows how many it did not.
/// Affinity: one thread.
class line_limit {
 public:
  explicit line_limit(int lines_max = 10, steady_duration window = std::chrono::seconds{1}) noexcept
      : lines_max_{lines_max}, window_{window} {}

  /// Whether a line may be written at `now`.
  [[nodiscard]] bool admits(steady_time now) noexcept;

  /// The end of a line that was let through: how many were not since this was asked last, or nothing.
  [[nodiscard]] std::string take_kept_quiet();

 private:
  int lines_max_;
  steady_duration window_;
  steady_time window_began_{};
  int lines_ = 0;
  std::uint64_t kept_quiet_ = 0;
};

}  // namespace grove
