// SPDX-License-Identifier: Apache-2.0
#pragma once

// What is ready to run in a hub, and in which order.
//
// - The queue is a ring of pointers and not a list of the items, so that what will run soon can be fetched into the cache
//   while others run: of many greenlets that take turns each finds nothing of its own there, and would wait for memory
//   longer than it runs.
// - Posting allocates nothing but the growth of the ring.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/check.h"
#include "worker/greenlet/greenlet.h"

namespace grove {

/// Which of the items that are ready run first in a pass of the loop. Every class has a bounded batch of its own in each
/// pass, so none can starve another.
enum class hub_priority : std::uint8_t { high, normal, low };
inline constexpr std::size_t hub_priorities = 3;

/// Something that the hub runs once, in the order of posting. It is part of the object that it belongs to, and in one
/// queue at a time.
class ready_item {
 public:
  ready_item() noexcept = default;
  ready_item(const ready_item&) = delete;
  ready_item& operator=(const ready_item&) = delete;

  [[nodiscard]] bool is_queued() const noexcept { return place_ != 0; }

 protected:
  virtual ~ready_item() = default;
  /// Runs in the hub's context, taken out of the queue: it may post itself again, may destroy itself, must not wait.
  /// What it throws goes to the hub's error handler. The default is for an item in which a greenlet waits.
  virtual void run() { waits_->resume(); }
  /// In place of run(), when the hub goes away.
  virtual void discard() noexcept {}

  greenlet* waits_ = nullptr;  ///< who goes on when the item runs, which does nothing else then
  bool starts_ = false;        ///< it is a task that will start in a greenlet of its own, and does nothing else then

 private:
  friend class ready_queue;
  friend class handover;
  friend class hub;
  std::uint64_t place_ = 0;  // in its queue: one more than the number of its push; 0: in none
};

/// First in, first out.
class ready_queue {
 public:
  ready_queue() noexcept = default;
  ready_queue(const ready_queue&) = delete;
  ready_queue& operator=(const ready_queue&) = delete;

  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  void push(ready_item& item) noexcept {
    GROVE_DEBUG_CHECK(!item.is_queued(), "an item is posted twice");
    if (end_ - first_ == capacity_) grow();
    slot(end_) = &item;
    item.place_ = ++end_;
    ++size_;
  }

  /// The queue must not be empty, as for pop().
  [[nodiscard]] ready_item& front() noexcept {
    GROVE_DEBUG_CHECK(size_ > 0, "the first item is asked for of an empty ready queue");
    while (slot(first_) == nullptr)
      ++first_;
    return *slot(first_);
  }

  ready_item& pop() noexcept {
    ready_item& next = front();
    ++first_;
    next.place_ = 0;
    --size_;
    fetch_ahead();
    return next;
  }

  void remove(ready_item& item) noexcept {
    GROVE_DEBUG_CHECK(item.is_queued() && item.place_ > first_ && item.place_ <= end_ && slot(item.place_ - 1) == &item,
                      "an item is taken out of a queue that it is not in");
    slot(item.place_ - 1) = nullptr;
    item.place_ = 0;
    if (--size_ == 0) first_ = end_;
  }

  /// Gives the memory of a long queue back, if it is empty.
  void trim() noexcept;
  /// See hub::check_invariants().
  void check_invariants() const;

 private:
  friend class hub;
  [[nodiscard]] ready_item*& slot(std::uint64_t number) noexcept { return ring_[number & (capacity_ - 1)]; }
  void grow() noexcept;

  void fetch_ahead() noexcept {
    if (end_ - first_ <= items_ahead) return;
    // A prefetch is dropped where the page has no entry in the TLB, and every stack has pages of its own: so the item is
    // read first, for nothing. Nobody waits for what it says; half-way it is there.
    const ready_item* const later = slot(first_ + items_ahead);
    if (later != nullptr) asm volatile("" : : "r"(later->waits_));
    const ready_item* const sooner = slot(first_ + items_ahead / 2);
    if (sooner == nullptr || sooner->waits_ == nullptr) return;
    // The frame that goes on lies around the item, unless its greenlet is sliced.
    fetch_lines(sooner, -1, 2);
    fetch_lines(sooner->waits_, 0, 2);
  }
  static void fetch_lines(const void* at, int first, int last) noexcept {
    constexpr int bytes = 64;
    for (int line = first; line <= last; ++line)
      __builtin_prefetch(static_cast<const std::byte*>(at) + line * bytes);
  }

  static constexpr std::size_t items_ahead = 8;

  std::unique_ptr<ready_item*[]> ring_;
  std::size_t capacity_ = 0;  // a power of two
  std::uint64_t first_ = 0;   // the number of the oldest push that is still in the ring
  std::uint64_t end_ = 0;     // of the next push
  std::size_t size_ = 0;
};

/// What greenlets may run in the hub's place: one that waits resumes the next waiter itself, and one whose task has ended
/// goes on with the next task. It is open while an item runs nothing in the hub's own context, for what the hub would
/// run next without a look at the clock.
class handover {
 public:
  [[nodiscard]] static bool may_follow(const ready_item& item) noexcept {
    return item.waits_ != nullptr || item.starts_;
  }
  void open(ready_queue& from, std::size_t count) noexcept {
    GROVE_DEBUG_CHECK(left_ == 0, "greenlets may run in the hub's place already");
    from_ = &from;
    left_ = count;
  }
  /// Returns how many of `count` are left.
  std::size_t close() noexcept { return std::exchange(left_, 0); }
  [[nodiscard]] bool is_open() const noexcept { return left_ > 0; }

  /// Takes the greenlet that is next in line; null if something else is.
  [[nodiscard]] greenlet* take_waiting() noexcept {
    if (left_ == 0 || from_->empty() || from_->front().waits_ == nullptr) return nullptr;
    --left_;
    return from_->pop().waits_;
  }
  /// The task that is next in line and has not started; null if something else is.
  [[nodiscard]] ready_item* next_to_start() const noexcept {
    return left_ > 0 && !from_->empty() && from_->front().starts_ ? &from_->front() : nullptr;
  }
  void take_start() noexcept {
    --left_;
    from_->pop();
  }

 private:
  ready_queue* from_ = nullptr;
  std::size_t left_ = 0;
};

}  // namespace grove
