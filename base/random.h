// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/check.h"

namespace grove {

/// Where randomness comes from, so that a run can be repeated under its seed.
/// The generator is SplitMix64 (Steele, Lea, Flood 2014): small, quick, good enough for jitter and load.
class random_source {
 public:
  explicit random_source(std::uint64_t seed) noexcept : state_{seed} {}

  /// Uniform over all 64 bits.
  [[nodiscard]] std::uint64_t next() noexcept {
    state_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31U);
  }

  /// Uniform in [0, bound); `bound` is at least 1. Lemire's multiplication, whose bias is below 2^-32 here.
  [[nodiscard]] std::uint32_t below(std::uint32_t bound) noexcept {
    GROVE_DEBUG_CHECK(bound > 0, "a number is drawn from none");
    return static_cast<std::uint32_t>(((next() >> 32U) * bound) >> 32U);
  }

  /// Uniform in [0, 1).
  [[nodiscard]] double unit() noexcept { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }

 private:
  std::uint64_t state_;
};

}  // namespace grove
