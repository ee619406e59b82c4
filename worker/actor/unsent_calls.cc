// SPDX-License-Identifier: Apache-2.0
// The runtime's calls to other workers, while there is no space on their way.
//
// Such a call waits here, and no more is taken from where it came: a client's connection is not read on, and an actor waits
// for its answer anyway. So connections and waiting turns bound how many there are. The first of each queue is tried in
// every iteration of the loop, and the mesh does not let the loop sleep over space that has come.
#include <new>
#include <utility>

#include "worker/actor/runtime.h"

namespace grove {

void runtime::send_to(std::uint32_t slot, message_ptr call) {
  // Nobody waits for a tell, so nothing would bound how many of them wait: the mesh refuses one that has no space. One that
  // has may overtake a call of its sender, but only of another turn, which overlaps with its own.
  if (call->wants_reply()) {
    const send_readiness way = remote_->readiness(slot, *call);
    // Space that others wait for is theirs first, however small the newcomer: else large calls would never leave.
    if (way == send_readiness::no_space || (way == send_readiness::ready && unsent_.any_for(slot)))
      return wait_for_space(slot, std::move(call));
  }
  remote_->send(slot, std::move(call));
}

void runtime::wait_for_space(std::uint32_t slot, message_ptr call) {
  message& waits = *call;
  unsent_.push(slot, std::move(call));
  try {
    if (!overdue_.armed() || *overdue_.expires_at() > waits.deadline) overdue_.arm(hub_, waits.deadline);
  } catch (const std::bad_alloc&) {
    // It is answered when there is space.
  }
  waits.origin->held_up(waits);
}

bool runtime::send_unsent() {
  bool any = false;
  for (std::uint32_t slot = 0; slot < unsent_.slots(); ++slot) {
    while (const message* const first = unsent_.first(slot)) {
      const bool overdue = is_overdue(*first);
      if (!overdue && remote_->readiness(slot, *first) == send_readiness::no_space) break;
      message_ptr call = unsent_.pop(slot);
      any = true;
      if (overdue) {
        refuse_as_overdue(std::move(call));
      } else {
        call->origin->goes_on(*call);
        remote_->send(slot, std::move(call));
      }
    }
  }
  return any;
}

}  // namespace grove
