// SPDX-License-Identifier: Apache-2.0
#include "worker/hub/wait_bound.h"

#include "base/check.h"

namespace grove {

wait_bound::record::record(hub& in, wait_bound& of, std::optional<steady_time> at)
    : on(in), bound(of), limited(greenlet::current()), outer(innermost(limited)), when(at) {}

wait_bound::wait_bound(hub& on, std::optional<steady_time> when) : record_(on, *this, when) {
  record_->limited.slots().bounds = &*record_;
}

wait_bound::~wait_bound() {
  cancel();
  void*& innermost = record_->limited.slots().bounds;
  GROVE_CHECK(innermost == &*record_, "bounds of a greenlet's waits end in another order than they began");
  innermost = record_->outer;
}

std::optional<steady_time> wait_bound::earliest(const greenlet& limited) noexcept {
  std::optional<steady_time> found;
  for (const record* at = innermost(limited); at != nullptr; at = at->outer) {
    if (at->when && (!found || *at->when < *found)) found = at->when;
  }
  return found;
}

void wait_bound::record::expired() {
  // Of bounds that are due together the outermost fires; this one stays due, and the next wait finds it.
  record* first = this;
  for (record* at = outer; at != nullptr; at = at->outer) {
    if (at->when && !at->fired && *at->when <= *first->when) first = at;
  }
  first->fire();
}

void wait_bound::record::fire() {
  // The same if something else is pending.
  if (fired || on.interrupt_pending(limited)) return;
  fired = on.interrupt(limited, thrown != nullptr ? thrown : bound.make_exception(), this);
}

void wait_bound::enter_wait(greenlet& waiting) {
  std::optional<steady_time> now;
  record* due = nullptr;
  for (record* at = innermost(waiting); at != nullptr; at = at->outer) {
    if (!at->when || at->fired || at->armed()) continue;
    if (!now) now = at->on.now();
    if (waiting.sliced() && at->thrown == nullptr) at->thrown = at->bound.make_exception();
    if (*at->when > *now)
      at->arm(at->on, *at->when);
    else if (due == nullptr || *at->when <= *due->when)
      due = at;
  }
  if (due != nullptr) due->expired();
}

}  // namespace grove
