// SPDX-License-Identifier: Apache-2.0
#pragma once

// The containers of the queues: each says which item leaves next.

#include <algorithm>
#include <cstddef>
#include <deque>
#include <functional>
#include <utility>
#include <vector>

#include "base/check.h"

namespace grove::tasks::detail {

template <typename T>
class fifo_order {
 public:
  [[nodiscard]] bool empty() const noexcept { return items_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return items_.size(); }
  [[nodiscard]] const T& front() const noexcept { return items_.front(); }
  void put(T&& item) { items_.push_back(std::move(item)); }
  /// Undoes a take().
  void put_back(T&& item) { items_.push_front(std::move(item)); }
  T take() {
    GROVE_DEBUG_CHECK(!items_.empty(), "an item is taken out of an empty queue");
    T taken(std::move(items_.front()));
    items_.pop_front();
    return taken;
  }
  fifo_order take_all() { return std::exchange(*this, {}); }

 private:
  std::deque<T> items_;
};

template <typename T>
class lifo_order {
 public:
  [[nodiscard]] bool empty() const noexcept { return items_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return items_.size(); }
  [[nodiscard]] const T& front() const noexcept { return items_.back(); }
  void put(T&& item) { items_.push_back(std::move(item)); }
  void put_back(T&& item) { put(std::move(item)); }
  T take() {
    GROVE_DEBUG_CHECK(!items_.empty(), "an item is taken out of an empty queue");
    T taken(std::move(items_.back()));
    items_.pop_back();
    return taken;
  }
  lifo_order take_all() { return std::exchange(*this, {}); }

 private:
  std::vector<T> items_;
};

/// A heap.
template <typename T, typename Less>
class least_first {
 public:
  least_first() = default;
  explicit least_first(Less less) : less_(std::move(less)) {}
  [[nodiscard]] bool empty() const noexcept { return items_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return items_.size(); }
  [[nodiscard]] const T& front() const noexcept { return items_.front(); }
  void put(T&& item) {
    items_.push_back(std::move(item));
    std::push_heap(items_.begin(), items_.end(), later());
  }
  void put_back(T&& item) { put(std::move(item)); }
  T take() {
    GROVE_DEBUG_CHECK(!items_.empty(), "an item is taken out of an empty queue");
    std::pop_heap(items_.begin(), items_.end(), later());
    T taken(std::move(items_.back()));
    items_.pop_back();
    return taken;
  }
  least_first take_all() {
    least_first all(less_);
    all.items_.swap(items_);
    return all;
  }

 private:
  auto later() const {
    return [this](const T& a, const T& b) { return less_(b, a); };
  }
  Less less_{};
  std::vector<T> items_;
};

}  // namespace grove::tasks::detail
