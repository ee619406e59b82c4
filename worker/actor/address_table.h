// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "worker/actor/actor_cell.h"

namespace grove {

/// The cells of actors by address. A hash table that grows a little at a time: moving a million entries at once would
/// hold the worker for 50 ms. When it is full a wider one takes its place, and every insertion copies some of the entries
/// over, as does every `settle`. Until all are there, what is not found in the new one is looked for in the old one, which
/// costs a second miss of the cache.
class address_table {
 public:
  struct address {
    const actor_type* type;
    std::uint64_t hash;
    std::string_view key;
  };
  /// Whatever has this hash.
  struct hash_only {
    std::uint64_t hash;
  };

  template <typename Key>
  [[nodiscard]] actor_cell* find(const Key& wanted) const noexcept {
    if (const auto found = entries_.find(wanted); found != entries_.end()) return found->cell;
    if (old_.empty()) [[likely]]
      return nullptr;
    const auto found = old_.find(wanted);
    return found == old_.end() ? nullptr : found->cell;
  }

  /// Errors: std::bad_alloc; nothing has changed then.
  void insert(actor_cell& cell) {
    if (entries_.size() >= entries_.max_load()) grow();
    entries_.insert(entry{cell.hash, &cell});
    copy(copied_an_insertion);
  }

  /// Copies some of the entries that still have to be: for who looks after the table when nothing is inserted.
  void settle() noexcept { copy(copied_a_settling); }
  /// Every entry is in one table.
  [[nodiscard]] bool is_settled() const noexcept { return old_.empty(); }

  void erase(actor_cell& cell) noexcept {
    const entry gone{cell.hash, &cell};
    std::size_t erased = entries_.erase(gone);
    if (!old_.empty()) {
      if (next_ != old_.end() && next_->cell == &cell) ++next_;
      erased += old_.erase(gone);
    }
    GROVE_CHECK(erased > 0, "an actor goes that its address does not lead to");
  }

 private:
  struct entry {
    std::uint64_t hash;
    actor_cell* cell;
  };
  /// A table places by the first bits of what this returns. Those of the hash are much the same in all that a worker has:
  /// they say which partition it is in.
  struct entry_hash {
    using is_transparent = void;
    using is_avalanching = void;  // XXH3 has mixed every bit already.
    template <typename T>
    std::size_t operator()(const T& of) const noexcept {
      return std::rotl(of.hash, 32);
    }
  };
  struct entry_equal {
    using is_transparent = void;
    bool operator()(const entry& a, const entry& b) const noexcept { return a.cell == b.cell; }
    bool operator()(const entry& e, const address& a) const noexcept {
      return e.hash == a.hash && &e.cell->type() == a.type && e.cell->key() == a.key;
    }
    bool operator()(const address& a, const entry& e) const noexcept { return (*this)(e, a); }
    bool operator()(const hash_only& h, const entry& e) const noexcept { return e.hash == h.hash; }
    bool operator()(const entry& e, const hash_only& h) const noexcept { return e.hash == h.hash; }
  };
  using table = boost::unordered_flat_set<entry, entry_hash, entry_equal>;

  static constexpr std::size_t first_size = 64;
  // More than one, so that all are copied before the wider table is full; many, so that two look-ups are soon one again.
  static constexpr std::size_t copied_an_insertion = 32;
  static constexpr std::size_t copied_a_settling = 16'384;  // about 1 ms

  void grow() {
    copy(old_.size());  // nearly always nothing
    GROVE_CHECK(old_.empty(), "a table of addresses grows before all entries are in it");
    table wider;
    // Its sizes are powers of two: what is more than there is room for now gets the next one, twice that of now.
    wider.reserve(std::max(first_size, entries_.size() + entries_.size() / 2));
    old_ = std::exchange(entries_, std::move(wider));
    next_ = old_.begin();
  }

  /// There is room for all of them.
  void copy(std::size_t many) noexcept {
    if (old_.empty()) [[likely]]
      return;
    for (; many > 0 && next_ != old_.end(); --many, ++next_)
      entries_.insert(*next_);
    if (next_ == old_.end()) old_ = table();
  }

  table entries_;
  table old_;                   // what has not been copied yet, and copies of the rest
  table::const_iterator next_;  // of old_, to be copied
};

}  // namespace grove
