// SPDX-License-Identifier: Apache-2.0
#include "worker/greenlet/off_stack.h"
#include "worker/hub/hub.h"
#include "worker/hub/internal/initialiser_check.h"
#include "worker/hub/wait_listener.h"
#include "worker/hub/waiter.h"

namespace grove {

/// A greenlet that gives way. It is ready all the time, so that there is nothing to wake or to interrupt.
class place_in_line final : public ready_item {
 public:
  place_in_line(hub& in, greenlet& of, hub_priority priority) noexcept : in_(in), priority_(priority) {
    waits_ = &of;
    of.slots().in_line = true;
    ++in.waiting_;
    in.post(*this, priority);
  }
  ~place_in_line() override {
    if (is_queued()) in_.unpost(*this, priority_);
    --in_.waiting_;
    waits_->slots().in_line = false;
  }
  void give_way() {
    const greenlet_slots& slots = waits_->slots();
    if (slots.turn_listens) [[unlikely]]
      static_cast<wait_listener*>(slots.turn)->waits();
    in_.next_to_run().resume();
    if (is_queued()) waiter::throw_resumed_by_another();
    if (slots.turn_listens) [[unlikely]]
      static_cast<wait_listener*>(slots.turn)->goes_on();
  }

 private:
  hub& in_;
  hub_priority priority_;
};

void yield(hub_priority priority) {
  hub& on = hub::current();
  greenlet& self = greenlet::current();
  waiter::check_may_wait(on, self);
  hubs::detail::check_initialisers(on, self);
  waiter::throw_deliverable(self);
  {
    const off_stack<place_in_line> place(on, self, priority);
    place->give_way();
  }
  waiter::throw_deliverable(self);
}

}  // namespace grove
