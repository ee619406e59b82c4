// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

namespace grove {

/// Counts of nanoseconds in log-linear buckets, after HdrHistogram (Tene): each power of two is cut into 128 equal
/// parts, so that a value read back is at most 0.8 % too large. Recording is a handful of instructions and never
/// allocates.
class histogram {
 public:
  void record(std::uint64_t value) noexcept {
    ++counts_[bucket_of(value)];
    ++count_;
    sum_ += value;
    max_ = std::max(max_, value);
  }

  void merge(const histogram& other) noexcept {
    for (std::size_t i = 0; i < counts_.size(); ++i)
      counts_[i] += other.counts_[i];
    count_ += other.count_;
    sum_ += other.sum_;
    max_ = std::max(max_, other.max_);
  }

  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  [[nodiscard]] std::uint64_t max() const noexcept { return max_; }
  [[nodiscard]] double mean() const noexcept {
    return count_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(count_);
  }

  /// The smallest value that at least `share` (0 to 1) of all values do not exceed, rounded up to its bucket's end.
  [[nodiscard]] std::uint64_t at(double share) const noexcept {
    if (count_ == 0) return 0;
    const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(count_) + 0.999999);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen >= std::max<std::uint64_t>(wanted, 1)) return std::min(last_of(i), max_);
    }
    return max_;
  }

  /// The bucket of a value, and the largest value of a bucket.
  [[nodiscard]] static constexpr std::size_t bucket_of(std::uint64_t value) noexcept {
    if (value < parts) return static_cast<std::size_t>(value);
    const auto shift = static_cast<unsigned>(std::bit_width(value)) - part_bits - 1;
    return shift * parts + static_cast<std::size_t>(value >> shift);
  }
  [[nodiscard]] static constexpr std::uint64_t last_of(std::size_t bucket) noexcept {
    if (bucket < 2 * parts) return bucket;
    const auto shift = static_cast<unsigned>(bucket / parts) - 1;
    const std::uint64_t top = bucket - static_cast<std::uint64_t>(shift) * parts;
    return ((top + 1) << shift) - 1;
  }

 private:
  static constexpr unsigned part_bits = 7;
  static constexpr std::size_t parts = 1U << part_bits;

  std::array<std::uint64_t, (64 - part_bits + 1) * parts> counts_{};
  std::uint64_t count_ = 0;
  std::uint64_t sum_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace grove
