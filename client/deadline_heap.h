// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "base/check.h"
#include "client/operation.h"

namespace grove::detail {

/// Operations by the time at which they wake up: a binary heap in which each knows its place, so that one that ends
/// early is taken out without a search. Calls with the same time-out arrive in order and cost one comparison.
class deadline_heap {
 public:
  [[nodiscard]] bool empty() const noexcept { return heap_.size() == 1; }
  [[nodiscard]] operation& first() const noexcept {
    GROVE_DEBUG_CHECK(!empty(), "the first that wakes up is asked for of none");
    return *heap_[1];
  }

  void insert(operation& op) {
    GROVE_CHECK(op.heap_index_ == 0, "an operation is twice among those that wake up");
    heap_.push_back(&op);
    op.heap_index_ = heap_.size() - 1;
    rise(op.heap_index_);
  }

  void remove(operation& op) noexcept {
    const std::size_t hole = std::exchange(op.heap_index_, 0);
    if (hole == 0) return;
    GROVE_CHECK(hole < heap_.size() && heap_[hole] == &op,
                "an operation does not know its place among those that wake up");
    operation* last = heap_.back();
    heap_.pop_back();
    if (last == &op) return;
    put(hole, *last);
    rise(hole);
    sink(last->heap_index_);
  }

 private:
  void put(std::size_t index, operation& op) noexcept {
    heap_[index] = &op;
    op.heap_index_ = index;
  }
  void exchange(std::size_t a, std::size_t b) noexcept {
    operation* was = heap_[a];
    put(a, *heap_[b]);
    put(b, *was);
  }
  [[nodiscard]] bool before(std::size_t a, std::size_t b) const noexcept {
    return heap_[a]->wake_at_ < heap_[b]->wake_at_;
  }
  void rise(std::size_t index) noexcept {
    for (; index > 1 && before(index, index / 2); index /= 2)
      exchange(index, index / 2);
  }
  void sink(std::size_t index) noexcept {
    for (;;) {
      std::size_t least = index;
      if (2 * index < heap_.size() && before(2 * index, least)) least = 2 * index;
      if (2 * index + 1 < heap_.size() && before(2 * index + 1, least)) least = 2 * index + 1;
      if (least == index) return;
      exchange(index, least);
      index = least;
    }
  }

  std::vector<operation*> heap_{nullptr};  ///< From 1; the children of i are 2i and 2i + 1.
};

}  // namespace grove::detail
