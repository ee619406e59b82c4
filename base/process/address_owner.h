// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace grove {

/// Who owns an address, and so is the only one that may activate its actor: a worker of a machine, in an epoch.
///
/// It is one word, as the table in shared memory has it (epoch, node and worker from the top: 32, 16 and 16 bits). So no
/// reader sees the owner of one time with the epoch of another, and who asks has the answer in a register: returned as a
/// struct of three numbers it went through memory, and the question took 9 ns in place of 2.
class address_owner {
 public:
  constexpr address_owner() noexcept = default;
  constexpr address_owner(std::uint32_t node, std::uint32_t worker, std::uint32_t epoch) noexcept
      : word_{std::uint64_t{epoch} << 32U | place_of(node, worker)} {}

  [[nodiscard]] static constexpr address_owner from_word(std::uint64_t word) noexcept {
    address_owner made;
    made.word_ = word;
    return made;
  }
  [[nodiscard]] constexpr std::uint64_t word() const noexcept { return word_; }

  /// The machine; 0 as long as there is one.
  [[nodiscard]] constexpr std::uint32_t node() const noexcept { return static_cast<std::uint16_t>(word_ >> 16U); }
  /// The worker's slot there.
  [[nodiscard]] constexpr std::uint32_t worker() const noexcept { return static_cast<std::uint16_t>(word_); }
  /// Counts the owners that the address' partition has had, from 1.
  [[nodiscard]] constexpr std::uint32_t epoch() const noexcept { return static_cast<std::uint32_t>(word_ >> 32U); }

  /// Whether that worker is the owner, in whatever epoch.
  [[nodiscard]] constexpr bool is_at(std::uint32_t node, std::uint32_t worker) const noexcept {
    return static_cast<std::uint32_t>(word_) == place_of(node, worker);
  }
  friend constexpr bool operator==(address_owner, address_owner) noexcept = default;

 private:
  static constexpr std::uint32_t place_of(std::uint32_t node, std::uint32_t worker) noexcept {
    return node << 16U | worker;
  }

  std::uint64_t word_ = 0;
};

}  // namespace grove
