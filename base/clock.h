// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace grove {

using steady_time = std::chrono::steady_clock::time_point;
using steady_duration = std::chrono::steady_clock::duration;

/// Where time comes from. Everything that waits or measures asks a clock that it was given, so that a test or
/// a simulation can own time.
class clock {
 public:
  virtual ~clock() = default;

  /// The monotonic time; never goes back.
  /// Affinity: any thread.
  [[nodiscard]] virtual steady_time now() const noexcept = 0;
};

/// The machine's CLOCK_MONOTONIC.
class system_clock final : public clock {
 public:
  [[nodiscard]] steady_time now() const noexcept override { return std::chrono::steady_clock::now(); }
};

/// A clock that stands still until it is told to move.
class manual_clock final : public clock {
 public:
  [[nodiscard]] steady_time now() const noexcept override { return now_; }
  void advance(steady_duration step) noexcept { now_ += step; }

 private:
  steady_time now_{std::chrono::seconds{1}};
};

}  // namespace grove
