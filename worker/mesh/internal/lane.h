// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/byte_buffer.h"
#include "worker/mesh/ring.h"

namespace grove::meshes::detail {

/// The way out to one other worker: its ring, and a queue in front of it for what must not be lost. The queue is
/// bounded by what the other worker asked for: answers to calls, and items that its progress has made room for. Requests
/// wait elsewhere (worker/actor/unsent_calls.cc), and are refused here.
/// Affinity: the hub thread.
class lane {
 public:
  lane() = default;
  explicit lane(ring_writer ring) noexcept : ring_{std::move(ring)} {}

  /// The place for a record that may be refused; null: there is no room, or others wait already.
  [[nodiscard]] char* try_place(std::size_t bytes) noexcept {
    return waiting_.empty() ? ring_.reserve(bytes) : nullptr;
  }

  /// Whether `try_place` has a place for it. If not, that is noted for `may_sleep`.
  [[nodiscard]] bool has_space(std::size_t bytes) noexcept {
    if (waiting_.empty() && ring_.has_space(bytes)) return true;
    wanted_bytes_ = bytes;
    return false;
  }

  /// The place for a record that is never refused, of at most `bytes_max()`. To be filled before the next call.
  [[nodiscard]] char* place(std::size_t bytes);

  /// Publishes what is written, and what waited as far as there is room. True if anything was published.
  bool flush() noexcept;

  /// Before falling asleep: asks to be woken up when there is room, if anything waits, here or for space that there was
  /// not. False: there is room now.
  [[nodiscard]] bool may_sleep() noexcept;

  /// Drops what is not published.
  void discard() noexcept;

  [[nodiscard]] std::size_t bytes_max() const noexcept { return ring_.body_bytes_max(); }
  [[nodiscard]] std::size_t waiting_bytes() const noexcept { return waiting_.size(); }
  [[nodiscard]] const ring_writer& ring() const noexcept { return ring_; }
  /// See mesh::check_invariants().
  void check_invariants() const;

 private:
  /// Moves what waits into the ring, in order, as far as there is room.
  void refill() noexcept;

  ring_writer ring_;
  byte_buffer waiting_;           // u64 size and body of each.
  std::size_t wanted_bytes_ = 0;  // Of the last record that there was no space for, and that may still be waiting.
  bool asked_for_room_ = false;
};

}  // namespace grove::meshes::detail
