// SPDX-License-Identifier: Apache-2.0
#include "worker/actor/mailbox.h"

namespace grove {

void mailbox::push(message_ptr m) noexcept {
  m->next = nullptr;
  ++count_;
  bytes_ += weight(*m);
  message* const added = m.release();
  (tail_ == nullptr ? head_ : tail_->next) = added;
  tail_ = added;
}

bool mailbox::take_control(control_kind kind) noexcept {
  const bool pushed = (control_ & bit(kind)) != 0;
  control_ = static_cast<std::uint8_t>(control_ & ~bit(kind));
  return pushed;
}

message_ptr mailbox::remove(const message& m) noexcept {
  return pop_if([&m](const message& candidate) { return &candidate == &m; });
}

message_ptr mailbox::unlink(message* m, message* before) noexcept {
  (before == nullptr ? head_ : before->next) = m->next;
  if (tail_ == m) tail_ = before;
  m->next = nullptr;
  --count_;
  bytes_ -= weight(*m);
  return message_ptr{m};
}

}  // namespace grove
