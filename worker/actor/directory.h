// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/unordered/unordered_flat_set.hpp>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "worker/actor/actor_cell.h"

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
  actor_cell& insert(runtime& owner, const actor_type& type, std::uint64_t hash, std::string_view key);

  /// Destroys the object of `cell`, if it has one, and the cell.
  void erase(actor_cell& cell) noexcept;

  /// Makes the object of `cell`, which has none.
  /// Errors: what the object's constructor throws; the cell has no object then.
  static void make_object(actor_cell& cell);

  /// Destroys the object of `cell`, if it has one.
  static void destroy_object(actor_cell& cell) noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return cells_.size(); }
  [[nodiscard]] actor_cell& at(std::size_t index) const noexcept { return *cells_[index]; }

 private:
  struct entry {
    std::uint64_t hash;
    actor_cell* cell;
  };
  struct address {
    const actor_type* type;
    std::uint64_t hash;
    std::string_view key;
  };
  struct hash_only {
    std::uint64_t hash;
  };
  struct entry_hash {
    using is_transparent = void;
    using is_avalanching = void;  // XXH3 has mixed every bit already.
    std::size_t operator()(const entry& e) const noexcept { return e.hash; }
    std::size_t operator()(const address& a) const noexcept { return a.hash; }
    std::size_t operator()(const hash_only& h) const noexcept { return h.hash; }
  };
  struct entry_equal {
    using is_transparent = void;
    bool operator()(const entry& a, const entry& b) const noexcept { return a.cell == b.cell; }
    bool operator()(const entry& e, const address& a) const noexcept {
      return e.hash == a.hash && e.cell->type == a.type && e.cell->key() == a.key;
    }
    bool operator()(const address& a, const entry& e) const noexcept { return (*this)(e, a); }
    bool operator()(const hash_only& h, const entry& e) const noexcept { return e.hash == h.hash; }
    bool operator()(const entry& e, const hash_only& h) const noexcept { return e.hash == h.hash; }
  };

  boost::unordered_flat_set<entry, entry_hash, entry_equal> by_address_;
  std::vector<actor_cell*> cells_;  // The same cells, to sweep over a few at a time.
};

}  // namespace grove
