// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace grove {

/// Which of the items that are ready run first in a pass of the loop. Every class has a bounded batch of its own in each
/// pass, so none can starve another.
enum class hub_priority : std::uint8_t { high, normal, low };
inline constexpr std::size_t hub_priorities = 3;

/// A member of the hub's ready queue: something that the hub runs once, in the order of posting. It is part of the
/// object that it belongs to, so that posting allocates nothing.
class ready_item {
 public:
  ready_item() noexcept = default;
  ready_item(const ready_item&) = delete;
  ready_item& operator=(const ready_item&) = delete;

  [[nodiscard]] bool is_queued() const noexcept { return next_ != nullptr; }

 protected:
  virtual ~ready_item() = default;
  /// Runs in the hub's context, taken out of the queue: it may post itself again, may destroy itself, must not wait.
  /// What it throws goes to the hub's error handler.
  virtual void run() = 0;
  /// In place of run(), when the hub goes away.
  virtual void discard() noexcept {}

 private:
  friend class ready_queue;
  friend class hub;
  ready_item* next_ = nullptr;
  ready_item* previous_ = nullptr;
};

/// First in, first out; a ring of the items themselves.
class ready_queue {
 public:
  ready_queue() noexcept { head_.next_ = head_.previous_ = &head_; }
  ready_queue(const ready_queue&) = delete;
  ready_queue& operator=(const ready_queue&) = delete;

  [[nodiscard]] bool empty() const noexcept { return head_.next_ == &head_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  void push(ready_item& item) noexcept {
    item.previous_ = head_.previous_;
    item.next_ = &head_;
    head_.previous_->next_ = &item;
    head_.previous_ = &item;
    ++size_;
  }

  /// The queue must not be empty.
  ready_item& pop() noexcept {
    ready_item& first = *head_.next_;
    remove(first);
    return first;
  }

  void remove(ready_item& item) noexcept {
    item.previous_->next_ = item.next_;
    item.next_->previous_ = item.previous_;
    item.next_ = item.previous_ = nullptr;
    --size_;
  }

 private:
  class head final : public ready_item {
    void run() override {}
    friend class ready_queue;
  };
  head head_;
  std::size_t size_ = 0;
};

}  // namespace grove
