// SPDX-License-Identifier: Apache-2.0
#pragma once

// A bounded queue between greenlets.
//
// - Waiters of each side are served in the order of arrival.
// - Hand-off: an item that meets a waiting consumer goes into that consumer's hands at once, and a place that becomes
//   free goes to the producer that waits longest. Nobody who comes later can take either (no barging).
// - A waiter that is killed or times out before that loses nothing; after it, the operation completes.

#include <cstddef>
#include <deque>
#include <limits>
#include <optional>
#include <utility>

#include "worker/hub/waiter.h"

namespace grove {

/// Affinity: hub thread; the try_ operations also in the hub's context.
template <typename T>
class queue {
 public:
  /// A capacity of 0 makes a channel: a push completes when the item has been taken.
  explicit queue(hub& on, std::size_t capacity = std::numeric_limits<std::size_t>::max()) noexcept
      : hub_(on), capacity_(capacity) {}

  /// Waits for a place.
  /// Cancel: the item has not been added (and is gone).
  void push(T item) { (void)push_waiting(item, std::nullopt); }
  /// False at `until`; `item` is untouched then.
  [[nodiscard]] bool push_until(T& item, steady_time until) { return push_waiting(item, until); }
  /// False if there is no place; `item` is untouched then.
  [[nodiscard]] bool try_push(T& item) {
    if (hand_to_consumer(item)) return true;
    if (items_.size() >= capacity_) return false;
    items_.push_back(std::move(item));
    return true;
  }
  [[nodiscard]] bool try_push(T&& item) { return try_push(item); }

  /// Waits for an item.
  /// Cancel: nothing has been taken.
  T pop() { return *pop_waiting(std::nullopt); }
  /// Nothing at `until`.
  [[nodiscard]] std::optional<T> pop_until(steady_time until) { return pop_waiting(until); }
  [[nodiscard]] std::optional<T> try_pop() {
    if (items_.empty()) return take_from_producer();
    std::optional<T> taken(std::move(items_.front()));
    items_.pop_front();
    if (std::optional<T> next = take_from_producer()) items_.push_back(std::move(*next));
    return taken;
  }

  /// The next item; null if there is none. Valid until the queue is used again.
  [[nodiscard]] T* peek() noexcept { return items_.empty() ? nullptr : &items_.front(); }
  [[nodiscard]] std::size_t size() const noexcept { return items_.size(); }
  [[nodiscard]] bool empty() const noexcept { return items_.empty(); }
  [[nodiscard]] bool full() const noexcept { return items_.size() >= capacity_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

 private:
  // Both live on the stack of the greenlet that waits.
  struct consumer : waiter {
    using waiter::waiter;
    std::optional<T> item;
  };
  struct producer : waiter {
    producer(hub& on, T& pushed) : waiter(on), item(&pushed) {}
    T* item;
  };

  bool hand_to_consumer(T& item) {
    if (consumers_.empty()) return false;
    static_cast<consumer*>(consumers_.front())->item.emplace(std::move(item));
    consumers_.pop()->wake();
    return true;
  }
  /// The item of the producer that waits longest.
  std::optional<T> take_from_producer() {
    if (producers_.empty()) return std::nullopt;
    std::optional<T> taken(std::move(*static_cast<producer*>(producers_.front())->item));
    producers_.pop()->wake();
    return taken;
  }

  bool push_waiting(T& item, std::optional<steady_time> until) {
    if (producers_.empty() && try_push(item)) return true;
    producer self(hub_, item);
    producers_.push(self);
    if (until) return self.wait_until(*until);
    self.wait();
    return true;
  }

  std::optional<T> pop_waiting(std::optional<steady_time> until) {
    if (consumers_.empty()) {
      if (std::optional<T> taken = try_pop()) return taken;
    }
    consumer self(hub_);
    consumers_.push(self);
    struct unwound {
      queue& of;
      consumer& side;
      // Dropped with an item in hand: it goes to the next consumer, else back to the front.
      ~unwound() {
        if (side.item && !of.hand_to_consumer(*side.item)) of.items_.push_front(std::move(*side.item));
      }
    } guard{*this, self};
    if (!until)
      self.wait();
    else if (!self.wait_until(*until))
      return std::nullopt;
    return std::exchange(self.item, std::nullopt);
  }

  hub& hub_;
  std::size_t capacity_;
  std::deque<T> items_;
  waiter_list consumers_;
  waiter_list producers_;
};

}  // namespace grove
