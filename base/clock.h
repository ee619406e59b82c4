// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <ratio>
#include <utility>

namespace grove {

using steady_time = std::chrono::steady_clock::time_point;
using steady_duration = std::chrono::steady_clock::duration;

/// A length of time as an argument, made of a whole number of any unit. What is longer than nanoseconds can count, 292
/// years, is the longest that they can: `std::chrono::hours::max()` means for ever, where std::chrono's own conversion
/// overflows.
class time_span {
 public:
  template <std::integral Rep, typename Period>
  requires(std::ratio_divide<Period, steady_duration::period>::den == 1)
      // NOLINTNEXTLINE(google-explicit-constructor): a duration that is passed is meant
      constexpr time_span(std::chrono::duration<Rep, Period> length) noexcept
      : length_{saturated(length)} {}

  // NOLINTNEXTLINE(google-explicit-constructor): loses nothing
  [[nodiscard]] constexpr operator steady_duration() const noexcept { return length_; }
  [[nodiscard]] constexpr steady_duration length() const noexcept { return length_; }

 private:
  template <typename Rep, typename Period>
  static constexpr steady_duration saturated(std::chrono::duration<Rep, Period> length) noexcept {
    constexpr std::intmax_t ticks = std::ratio_divide<Period, steady_duration::period>::num;
    steady_duration::rep count = 0;
    if (!__builtin_mul_overflow(length.count(), ticks, &count)) [[likely]]
      return steady_duration{count};
    return std::cmp_less(length.count(), 0) ? steady_duration::min() : steady_duration::max();
  }

  steady_duration length_;
};

/// `start` + `length`, held at the ends of what a time point can say: for ever after now is for ever, where a plain
/// addition goes round into the past. Whatever is made of a clock's reading and somebody's duration is made with it.
[[nodiscard]] constexpr steady_time time_after(steady_time start, time_span length) noexcept {
  steady_duration::rep count = 0;
  if (!__builtin_add_overflow(start.time_since_epoch().count(), length.length().count(), &count)) [[likely]]
    return steady_time{steady_duration{count}};
  return length.length() < steady_duration::zero() ? steady_time::min() : steady_time::max();
}

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
  void advance(time_span step) noexcept { now_ = time_after(now_, step); }

 private:
  steady_time now_{std::chrono::seconds{1}};
};

}  // namespace grove
