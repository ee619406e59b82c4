// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include "base/check.h"
#include "worker/actor/message.h"

namespace grove {

/// Messages in a row, first in first out, linked through themselves. Lifetime: they are owned while they are in it.
class message_queue {
 public:
  message_queue() = default;
  message_queue(message_queue&& other) noexcept
      : head_{std::exchange(other.head_, nullptr)}, tail_{std::exchange(other.tail_, nullptr)} {}
  message_queue& operator=(message_queue&& other) noexcept {
    std::swap(head_, other.head_);
    std::swap(tail_, other.tail_);
    return *this;
  }
  ~message_queue() {
    while (pop() != nullptr) {
    }
  }

  [[nodiscard]] bool empty() const noexcept { return head_ == nullptr; }

  /// The first one; the others follow by `next`. Null when there is none.
  [[nodiscard]] const message* first() const noexcept { return head_; }

  void push(message_ptr m) noexcept {
    GROVE_DEBUG_CHECK(m->next == nullptr, "a message is in two queues");
    m->next = nullptr;
    message* const added = m.release();
    (tail_ == nullptr ? head_ : tail_->next) = added;
    tail_ = added;
  }

  /// The first one; null when there is none.
  [[nodiscard]] message_ptr pop() noexcept { return head_ == nullptr ? nullptr : unlink(head_, nullptr); }

  /// The first one that `wanted(message)` lets pass; null when there is none.
  template <class Predicate>
  [[nodiscard]] message_ptr pop_if(Predicate wanted) {
    message* before = nullptr;
    for (message* m = head_; m != nullptr; before = m, m = m->next) {
      if (wanted(*m)) return unlink(m, before);
    }
    return nullptr;
  }

  /// Takes `m` out from wherever it is; null when it is not here.
  [[nodiscard]] message_ptr remove(const message& m) noexcept {
    return pop_if([&m](const message& candidate) { return &candidate == &m; });
  }

 private:
  [[nodiscard]] message_ptr unlink(message* m, message* before) noexcept {
    (before == nullptr ? head_ : before->next) = m->next;
    if (tail_ == m) tail_ = before;
    m->next = nullptr;
    return message_ptr{m};
  }

  message* head_ = nullptr;
  message* tail_ = nullptr;
};

}  // namespace grove
