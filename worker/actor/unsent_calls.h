// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/process/shared_segment_layout.h"
#include "worker/actor/message.h"
#include "worker/actor/message_queue.h"

namespace grove {

/// Calls that wait for room on their way to other workers: a queue for each of these, first come first served. No allocation.
///
/// Invariant: what is in it is `message_state::unsent`, and its `remote_slot` says in which queue.
class unsent_calls {
 public:
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// Whether any waits for the worker of `slot`.
  [[nodiscard]] bool any_for(std::uint32_t slot) const noexcept { return !queues_[slot].empty(); }
  /// Above all slots that any waits for.
  [[nodiscard]] std::uint32_t slots() const noexcept { return size_ == 0 ? 0 : slots_; }

  void push(std::uint32_t slot, message_ptr call) noexcept {
    GROVE_CHECK(slot < queues_.size(), "there are no so many workers");
    call->state = message_state::unsent;
    call->remote_slot = static_cast<std::uint16_t>(slot);
    queues_[slot].push(std::move(call));
    slots_ = std::max(slots_, slot + 1);
    ++size_;
  }

  /// The one that has waited for the longest; null when there is none.
  [[nodiscard]] const message* first(std::uint32_t slot) const noexcept { return queues_[slot].first(); }
  [[nodiscard]] message_ptr pop(std::uint32_t slot) noexcept { return taken(queues_[slot].pop()); }

  /// Takes out `call`, which is in it.
  [[nodiscard]] message_ptr remove(const message& call) noexcept {
    return taken(queues_[call.remote_slot].remove(call));
  }

  /// One that `wanted(message)` lets pass; null when there is none.
  template <class Predicate>
  [[nodiscard]] message_ptr pop_if(Predicate wanted) {
    for (std::uint32_t slot = 0; slot < slots(); ++slot) {
      if (message_ptr call = queues_[slot].pop_if(wanted)) return taken(std::move(call));
    }
    return nullptr;
  }

  /// The end of time when there is none.
  [[nodiscard]] steady_time earliest_deadline() const noexcept {
    steady_time earliest = steady_time::max();
    for (std::uint32_t slot = 0; slot < slots(); ++slot) {
      for (const message* call = queues_[slot].first(); call != nullptr; call = call->next)
        earliest = std::min(earliest, call->deadline);
    }
    return earliest;
  }

 private:
  [[nodiscard]] message_ptr taken(message_ptr call) noexcept {
    if (call != nullptr) --size_;
    return call;
  }

  std::array<message_queue, workers_max> queues_;  // By slot.
  std::uint32_t slots_ = 0;
  std::size_t size_ = 0;
};

}  // namespace grove
