// SPDX-License-Identifier: Apache-2.0
#pragma once

// One direction between two workers: a single-producer single-consumer ring of bytes in shared memory.
//
// A record is, at a position that is a multiple of 8:
//
//   u32 size    bytes of body, 1 or more
//   u32 mark    size xor record_mark: a header that is anything else is recognised
//   size bytes  body
//   0..7 bytes  up to the next multiple of 8
//
// Positions (base/process/shared_segment_layout.h: ring_control) only grow. The ring's pages are mapped twice, one
// after the other, so that every record is contiguous wherever it begins: there is no padding at the end of
// the ring, and a record may be as large as the ring.
//
// Invariants:
// - a record is visible to the reader only after the one store to `tail` that publishes it, whole. A writer
// that
//   dies before that store has changed bytes that nobody looks at; its successor goes on from `tail`;
// - the writer writes only between tail and head + capacity, the reader reads only between head and tail;
// - the reader trusts nothing that it reads: a tail that is out of range or a header that does not fit is
//   `corrupt`, and never leads it outside of the ring;
// - the writer keeps the tail that it goes by to itself, so that a corrupted word is mended by its next
// publish.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/process/shared_segment.h"

namespace grove {

inline constexpr std::size_t record_header_bytes = 8;
inline constexpr std::uint32_t record_mark = 0x47524f56U;

/// What a record with a body of `bytes` takes up in a ring.
[[nodiscard]] constexpr std::uint64_t record_bytes(std::uint64_t bytes) noexcept {
  return (record_header_bytes + bytes + 7) & ~std::uint64_t{7};
}

/// A ring's pages, mapped twice in a row.
class ring_mapping {
 public:
  ring_mapping() noexcept = default;

  /// Errors: std::system_error.
  ring_mapping(int fd, std::uint64_t offset, std::size_t capacity);
  ring_mapping(ring_mapping&& other) noexcept;
  ring_mapping& operator=(ring_mapping&& other) noexcept;
  ring_mapping(const ring_mapping&) = delete;
  ring_mapping& operator=(const ring_mapping&) = delete;
  ~ring_mapping();

  [[nodiscard]] char* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

 private:
  char* data_ = nullptr;
  std::size_t capacity_ = 0;
};

/// The producing end. Affinity: one thread.
class ring_writer {
 public:
  ring_writer() noexcept = default;

  /// Goes on where the last writer published to.
  /// Lifetime: `control` is borrowed.
  ring_writer(ring_control& control, ring_mapping mapping) noexcept;

  /// Whether there is space for a new record.
  [[nodiscard]] bool has_space(std::size_t bytes) noexcept;

  /// The place for the body of a new record, or null: there is no room. It is visible after `publish`.
  [[nodiscard]] char* reserve(std::size_t bytes) noexcept;

  /// Makes all reserved records visible, with one store. True if there were any.
  /// The store is sequentially consistent: the wake-up protocol needs it.
  bool publish() noexcept;

  /// Takes back all that is reserved and not published.
  void discard() noexcept;

  /// Asks the reader to tell when there is room, or not to. Whoever asks tries once more before it sleeps.
  void want_room(bool wanted) noexcept;

  /// The largest body that fits at all, into an empty ring.
  [[nodiscard]] std::size_t body_bytes_max() const noexcept { return capacity_ - record_header_bytes; }

  [[nodiscard]] std::uint64_t unpublished_bytes() const noexcept { return reserved_ - published_; }

  /// Positions: where the next record will begin; up to where records are published.
  [[nodiscard]] std::uint64_t position() const noexcept { return reserved_; }
  [[nodiscard]] std::uint64_t published() const noexcept { return published_; }

  /// Up to where the reader has given room back.
  [[nodiscard]] std::uint64_t released() const noexcept { return control_->head.load(std::memory_order_acquire); }

  /// The body of the record at `position`, from `released` on, published or not; moves `position` behind it. Empty: there
  /// is none. For when the reader is dead.
  [[nodiscard]] std::string_view record_at(std::uint64_t& position) const noexcept;

  /// See mesh::check_invariants().
  void check_invariants() const;

 private:
  ring_control* control_ = nullptr;
  ring_mapping mapping_;
  std::uint64_t capacity_ = 0;
  std::uint64_t published_ = 0;
  std::uint64_t reserved_ = 0;
  std::uint64_t head_ = 0;    ///< The reader's, as last looked at.
  std::uint64_t offset_ = 0;  ///< reserved_ modulo capacity_.
};

enum class ring_state : std::uint8_t {
  record,
  empty,
  corrupt,  ///< What is there is no record: `reset` is the way out.
};

/// The consuming end. Affinity: one thread.
class ring_reader {
 public:
  ring_reader() noexcept = default;

  /// Drops what is in the ring: it was sent to the reader's predecessor.
  /// Lifetime: `control` is borrowed.
  ring_reader(ring_control& control, ring_mapping mapping) noexcept;

  /// Looks at the first record.
  /// Lifetime: `body` is over the ring's memory, until `release` after it was consumed.
  [[nodiscard]] ring_state peek(std::string_view& body) noexcept;

  /// Goes on to the next record. The writer gets the room back by `release`, so that it is one store for
  /// many.
  void consume() noexcept;

  /// True if the writer asked to be told of it, with `want_room`.
  bool release() noexcept;

  /// Drops all that is published.
  void reset() noexcept;

  /// Whether there is something to read, for the moment before falling asleep: sequentially consistent.
  [[nodiscard]] bool has_more() const noexcept;

  /// Positions: of the first record; up to where records are published.
  [[nodiscard]] std::uint64_t position() const noexcept { return head_; }
  [[nodiscard]] std::uint64_t published() const noexcept { return control_->tail.load(std::memory_order_acquire); }
  [[nodiscard]] const ring_mapping& memory() const noexcept { return mapping_; }
  [[nodiscard]] std::uint64_t unreleased_bytes() const noexcept { return head_ - released_; }
  /// See mesh::check_invariants().
  void check_invariants() const;

 private:
  ring_control* control_ = nullptr;
  ring_mapping mapping_;
  std::uint64_t capacity_ = 0;
  std::uint64_t head_ = 0;
  std::uint64_t released_ = 0;
  std::uint64_t tail_ = 0;         ///< The writer's, as last looked at.
  std::uint64_t offset_ = 0;       ///< head_ modulo capacity_.
  std::uint64_t first_bytes_ = 0;  ///< Of the record that was peeked at, header included.
};

}  // namespace grove
