// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string_view>

#include "worker/actor/actor_cell.h"
#include "worker/actor/address_table.h"

namespace grove {

/// The active actors of a worker, by address.
/// Affinity: the worker's hub thread.
class directory {
 public:
  directory() = default;
  directory(const directory&) = delete;
  directory& operator=(const directory&) = delete;
  ~directory();

  [[nodiscard]] actor_cell* find(const actor_type& type, std::uint64_t hash, std::string_view key) const noexcept;

  /// Has the processor fetch the cell of an actor with this hash, if there is one, with what a turn touches of it. For
  /// several in a row, before each is looked for: their misses of the cache then overlap, which they do not with what
  /// is done to each in between.
  void prefetch(std::uint64_t hash) const noexcept;

  /// Makes the cell of an address that is not here yet, without its object.
  actor_cell& insert(hosted_type& type, std::uint64_t hash, std::string_view key);

  /// Destroys the object of `cell`, if it has one, and the cell.
  void erase(actor_cell& cell) noexcept;

  /// Goes on with the growth of the table, for about a millisecond; nothing to do nearly always.
  void settle() noexcept { by_address_.settle(); }
  /// Growth is over: a look-up misses the cache once.
  [[nodiscard]] bool is_settled() const noexcept { return by_address_.is_settled(); }

  /// Makes the object of `cell`, which has none.
  /// Errors: what the object's constructor throws; the cell has no object then.
  static void make_object(actor_cell& cell);

  /// Destroys the object of `cell`, if it has one.
  static void destroy_object(actor_cell& cell) noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return cells_.size(); }
  [[nodiscard]] actor_cell& at(std::size_t index) const noexcept { return *cells_[index]; }

 private:
  address_table by_address_;
  std::deque<actor_cell*> cells_;  // The same cells, to sweep over a few at a time; it grows without moving any.
};

}  // namespace grove
