// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "worker/actor/message.h"

namespace grove::meshes::detail {

/// The most calls that one worker waits for from others; it also bounds what an index in a record may be.
inline constexpr std::uint32_t calls_max = 1U << 20U;

[[nodiscard]] constexpr std::uint32_t index_of(std::uint64_t call) noexcept {
  return static_cast<std::uint32_t>(call);
}

/// A call that another worker has.
struct pending_call {
  message_ptr call;
  std::uint64_t position = 0;     ///< Where its record ends in the ring.
  std::uint64_t items_bytes = 0;  ///< Of a stream: received so far,
  std::uint64_t progress = 0;     ///< and reported to have reached the client.
  std::uint32_t counter = 0;      ///< Of the uses of this entry.
  std::uint32_t next_free = 0;
  std::uint16_t slot = 0;
  bool watched = false;  ///< Its client is slow: progress is still to be reported.
};

/// The calls that other workers have, by number. Affinity: the hub thread.
class pending_calls {
 public:
  [[nodiscard]] bool full() const noexcept { return size_ >= calls_max; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /// The number that the next call will get. There must be room.
  [[nodiscard]] std::uint64_t next_number();

  /// Adds the call that `next_number` was for.
  void add(message_ptr call, std::uint16_t slot, std::uint64_t position);

  /// The entry of a call that `slot` has; null when there is none of this number.
  /// Lifetime: until the next `next_number`.
  [[nodiscard]] pending_call* find(std::uint64_t number, std::uint32_t slot) noexcept;

  /// Removes a call that is there.
  [[nodiscard]] message_ptr take(pending_call& entry) noexcept;

  struct taken_call {
    message_ptr call;  ///< Null: there was no other.
    std::uint64_t position = 0;
  };

  /// Removes and gives the next call of `slot` whose record ends at `up_to` or before, looking from the index `from` on,
  /// which is moved on. Calls that are added meanwhile may or may not be seen.
  [[nodiscard]] taken_call take_next(std::uint32_t& from, std::uint32_t slot, std::uint64_t up_to) noexcept;

  /// The index of an entry is the low half of its call's number. Null: there are no more.
  [[nodiscard]] const pending_call* entry_at(std::size_t index) const noexcept {
    return index < entries_.size() ? &entries_[index] : nullptr;
  }
  /// See mesh::check_invariants().
  void check_invariants() const;

 private:
  static constexpr std::uint32_t none = ~std::uint32_t{0};

  std::vector<pending_call> entries_;
  std::uint32_t first_free_ = none;
  std::size_t size_ = 0;
};

}  // namespace grove::meshes::detail
