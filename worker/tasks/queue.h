// SPDX-License-Identifier: Apache-2.0
#pragma once

// Queues between greenlets: one core, and what decides the order in which items leave.
//
// - Waiters of each side are served in the order of arrival.
// - Hand-off: an item that meets a waiting consumer goes into that consumer's hands at once, and a place that becomes
//   free goes to the producer that waits longest. Nobody who comes later can take either (no barging).
// - A waiter that is killed or times out before that loses nothing; after it, the operation completes.
// - What a waiting greenlet offers or has been given lies in its waiter, and not elsewhere on its stack.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <limits>
#include <optional>
#include <stdexcept>
#include <utility>

#include "base/check.h"
#include "worker/greenlet/off_stack.h"
#include "worker/hub/waiter.h"
#include "worker/tasks/queue_order.h"
#include "worker/tasks/semaphore.h"

namespace grove {

/// Nothing more goes into the queue, and nothing that is left comes out.
class queue_shut_down : public std::runtime_error {
 public:
  queue_shut_down() : std::runtime_error("the queue has been shut down") {}
};

enum class queue_shutdown : std::uint8_t {
  drain,   ///< what is in the queue can still be taken
  discard  ///< what is in the queue is dropped
};

/// Affinity: hub thread; the try_ operations also in the hub's context, as all that need not wait.
/// Errors: every operation that cannot be served any more after shut_down() throws queue_shut_down; a push leaves its
/// item with the caller then.
template <typename T, typename Order>
class basic_queue {
 public:
  static constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

  /// A capacity of 0 makes a channel: a push completes when the item has been taken.
  explicit basic_queue(hub& on, std::size_t capacity = unlimited, Order order = {})
      : hub_(on), capacity_(capacity), items_(std::move(order)) {}

  /// Waits for a place.
  /// Cancel: the item has not been added (and is gone).
  void push(T item) { (void)push_waiting(item, std::nullopt); }
  /// False at `until`. Unless it returns true, `item` has its value still.
  [[nodiscard]] bool push_until(T& item, steady_time until) { return push_waiting(item, until); }
  /// False if there is no place; `item` is untouched then.
  [[nodiscard]] bool try_push(T& item) {
    if (shut_) throw queue_shut_down();
    if (hand_to_consumer(item)) {
      ++unfinished_;
      return true;
    }
    if (items_.size() >= capacity_) return false;
    add(std::move(item));
    return true;
  }
  [[nodiscard]] bool try_push(T&& item) { return try_push(item); }

  /// Waits for an item.
  /// Cancel: nothing has been taken.
  T pop() { return std::move(*open(pop_waiting(std::nullopt))); }
  /// Nothing at `until`.
  [[nodiscard]] std::optional<T> pop_until(steady_time until) { return open(pop_waiting(until)); }
  [[nodiscard]] std::optional<T> try_pop() { return open(take()); }
  /// pop() that returns nothing, and does not throw, when the queue has been shut down and is empty.
  [[nodiscard]] std::optional<T> next() { return pop_waiting(std::nullopt); }

  /// Waits for an item and leaves it in its place; null at `until`. Valid until the queue is used again. In a channel
  /// nothing can be seen before it is taken.
  [[nodiscard]] const T* front(std::optional<steady_time> until = std::nullopt) {
    while (items_.empty()) {
      if (shut_) throw queue_shut_down();
      const off_stack<waiter> arrival(hub_);
      watchers_.push(*arrival);
      if (!wait_in(*arrival, until)) return nullptr;
    }
    return &items_.front();
  }
  /// The next item; null if there is none. Valid until the queue is used again.
  [[nodiscard]] const T* peek() const noexcept { return items_.empty() ? nullptr : &items_.front(); }

  [[nodiscard]] std::size_t size() const noexcept { return items_.size(); }
  [[nodiscard]] bool empty() const noexcept { return items_.empty(); }
  [[nodiscard]] bool full() const noexcept { return items_.size() >= capacity_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

  /// What was taken has been dealt with: to be called once for each item by those whose producers join().
  /// Errors: synchronisation_error if there were fewer items.
  void task_done() {
    if (unfinished_ == 0) throw synchronisation_error("more tasks of a queue are done than there were");
    finished(1);
  }
  /// Items that were accepted and are not done.
  [[nodiscard]] std::size_t unfinished() const noexcept { return unfinished_; }
  /// Waits until every item that was accepted is done; false at `until`.
  bool join(std::optional<steady_time> until = std::nullopt) {
    if (unfinished_ == 0) return true;
    const off_stack<waiter> end(hub_);
    joiners_.push(*end);
    return wait_in(*end, until);
  }

  /// From now on nothing is accepted; waiting producers fail, as do consumers when there is nothing to take any more.
  /// Items that are discarded count as done. Idempotent.
  void shut_down(queue_shutdown mode = queue_shutdown::drain) {
    shut_ = true;
    if (mode == queue_shutdown::discard) {
      const Order dropped = items_.take_all();
      finished(dropped.size());
    }
    producers_.wake_all();
    consumers_.wake_all();
    watchers_.wake_all();
  }
  [[nodiscard]] bool is_shut_down() const noexcept { return shut_; }

  /// Takes items until the queue has been shut down and is empty.
  class iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    explicit iterator(basic_queue& of) : of_(&of), item_(of.next()) {}
    [[nodiscard]] T& operator*() noexcept { return *item_; }
    iterator& operator++() {
      item_.reset();
      item_ = of_->next();
      return *this;
    }
    void operator++(int) { ++*this; }
    [[nodiscard]] bool operator==(std::default_sentinel_t) const noexcept { return !item_.has_value(); }

   private:
    basic_queue* of_;
    std::optional<T> item_;
  };
  [[nodiscard]] iterator begin() { return iterator(*this); }
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

  /// For wait_any() and its like: ready when there is an item to take, or the end.
  [[nodiscard]] bool ready() const noexcept { return !items_.empty() || shut_; }
  void subscribe(waiter& link) noexcept { watchers_.push(link); }

 private:
  /// One that waits: a producer with the item that it offers, a consumer with the one that it was given.
  struct side : waiter {
    using waiter::waiter;
    std::optional<T> item;
  };

  static bool wait_in(waiter& w, std::optional<steady_time> until) {
    if (until) return w.wait_until(*until);
    w.wait();
    return true;
  }

  void add(T&& item) {
    GROVE_DEBUG_CHECK(items_.size() < capacity_, "a queue takes an item that it has no place for");
    items_.put(std::move(item));
    ++unfinished_;
    watchers_.wake_all();
  }
  void finished(std::size_t count) noexcept {
    unfinished_ -= std::min(count, unfinished_);
    if (unfinished_ == 0) joiners_.wake_all();
  }
  bool hand_to_consumer(T& item) {
    if (consumers_.empty()) return false;
    side& first = *static_cast<side*>(consumers_.front());
    GROVE_DEBUG_CHECK(!first.item, "a consumer is given a second item");
    first.item.emplace(std::move(item));
    consumers_.pop()->wake();
    return true;
  }
  /// The item of the producer that waits longest.
  std::optional<T> take_from_producer() {
    if (producers_.empty()) return std::nullopt;
    std::optional<T> taken = std::exchange(static_cast<side*>(producers_.front())->item, std::nullopt);
    GROVE_DEBUG_CHECK(taken.has_value(), "a producer waits that offers nothing");
    producers_.pop()->wake();
    return taken;
  }
  std::optional<T> take() {
    if (items_.empty()) {
      std::optional<T> taken = take_from_producer();
      if (taken) ++unfinished_;
      return taken;
    }
    std::optional<T> taken(items_.take());
    if (items_.size() < capacity_) {
      if (std::optional<T> next = take_from_producer()) add(std::move(*next));
    }
    return taken;
  }
  /// Nothing taken: because the time is over, or for good.
  std::optional<T> open(std::optional<T> taken) const {
    if (!taken && shut_ && items_.empty()) throw queue_shut_down();
    return taken;
  }

  bool push_waiting(T& item, std::optional<steady_time> until) {
    if (try_push(item)) return true;
    const off_stack<side> kept(hub_);
    side& self = *kept;
    self.item.emplace(std::move(item));
    struct returning {
      T& to;
      side& from;
      ~returning() {
        if (from.item) to = std::move(*from.item);
      }
    } guard{item, self};
    producers_.push(self);
    if (!wait_in(self, until)) return false;
    if (self.item) throw queue_shut_down();
    return true;
  }

  std::optional<T> pop_waiting(std::optional<steady_time> until) {
    if (std::optional<T> taken = take()) return taken;
    if (shut_) return std::nullopt;
    const off_stack<side> kept(hub_);
    side& self = *kept;
    consumers_.push(self);
    struct unwound {
      basic_queue& of;
      side& at;
      // Dropped with an item in hand: it goes to the next consumer, else back to where it was taken.
      ~unwound() {
        if (at.item && !of.hand_to_consumer(*at.item)) of.items_.put_back(std::move(*at.item));
      }
    } guard{*this, self};
    if (!wait_in(self, until)) return std::nullopt;
    if (self.item) return std::exchange(self.item, std::nullopt);
    return take();  // woken by shut_down(); something may have been put back since
  }

  hub& hub_;
  std::size_t capacity_;
  Order items_;
  std::size_t unfinished_ = 0;
  bool shut_ = false;
  waiter_list consumers_;
  waiter_list producers_;
  waiter_list watchers_;
  waiter_list joiners_;
};

/// First in, first out.
template <typename T>
using queue = basic_queue<T, tasks::detail::fifo_order<T>>;

/// Last in, first out.
template <typename T>
using lifo_queue = basic_queue<T, tasks::detail::lifo_order<T>>;

/// The least item first; equal ones in any order.
template <typename T, typename Less = std::less<T>>
using ordered_queue = basic_queue<T, tasks::detail::least_first<T, Less>>;

/// A rendezvous: each side waits for the other. It is empty and full at all times.
template <typename T>
class channel : public queue<T> {
 public:
  explicit channel(hub& on) : queue<T>(on, 0) {}
};

}  // namespace grove
