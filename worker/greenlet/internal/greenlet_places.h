// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace grove::greenlets::detail {

/// The memory that the greenlets of a thread are in: places in blocks, each at the beginning of a cache line and all at
/// even distances. So a switch touches one line of a greenlet, and of many that take turns in the order in which they
/// were made the processor fetches the next one ahead, which it does not when malloc() has its own things in between.
/// Where there are many, blocks are cut from huge pages: greenlets that take turns would find no entry of theirs in the
/// TLB. A block whose last greenlet has gone is given back to the system; one is kept for the next.
/// Affinity: one thread at a time.
class greenlet_places {
 public:
  greenlet_places() = default;
  greenlet_places(const greenlet_places&) = delete;
  greenlet_places& operator=(const greenlet_places&) = delete;
  /// All places are free again by then.
  ~greenlet_places();

  /// Errors: std::bad_alloc.
  [[nodiscard]] void* take();
  void give_back(void* place) noexcept;

 private:
  struct place {
    place* next;
  };
  struct block {
    block* next = nullptr;  // of those with a free place
    block* previous = nullptr;
    place* free = nullptr;
    std::uint32_t used = 0;
    std::uint32_t begun = 0;  // places that have ever been used: the pages behind them were never touched

    [[nodiscard]] bool full() const noexcept;
  };

  block& open_block();
  [[nodiscard]] void* map_block();
  void unmap(block& gone) noexcept;
  void link(block& opened) noexcept;
  void unlink(block& closed) noexcept;

  block* open_ = nullptr;
  block* spare_ = nullptr;  // an empty one
  std::size_t blocks_ = 0;
  std::span<std::byte> uncut_;  // what is left of a huge page
};

}  // namespace grove::greenlets::detail
