// SPDX-License-Identifier: Apache-2.0
#include "worker/actor/mailbox.h"

#include <algorithm>
#include <utility>

namespace grove {

void mailbox::push(message_ptr m) noexcept {
  ++count_;
  bytes_ += weight(*m);
  queue_.push(std::move(m));
}

bool mailbox::take_control(control_kind kind) noexcept {
  const bool pushed = (control_ & bit(kind)) != 0;
  control_ = static_cast<std::uint8_t>(control_ & ~bit(kind));
  return pushed;
}

steady_time mailbox::earliest_deadline() const noexcept {
  steady_time earliest = steady_time::max();
  for (const message* m = queue_.first(); m != nullptr; m = m->next)
    earliest = std::min(earliest, m->deadline);
  return earliest;
}

message_ptr mailbox::remove(const message& m) noexcept {
  return pop_if([&m](const message& candidate) { return &candidate == &m; });
}

}  // namespace grove
