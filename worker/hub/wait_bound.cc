// SPDX-License-Identifier: Apache-2.0
#include "worker/hub/wait_bound.h"

#include "base/check.h"

namespace grove {

namespace {
wait_bound* innermost(const greenlet& of) noexcept {
  return static_cast<wait_bound*>(of.slots().bounds);
}
}  // namespace

wait_bound::wait_bound(hub& on, std::optional<steady_time> when)
    : hub_(on), greenlet_(&greenlet::current()), outer_(innermost(*greenlet_)), when_(when) {
  greenlet_->slots().bounds = this;
}

wait_bound::~wait_bound() {
  cancel();
  GROVE_CHECK(greenlet_->slots().bounds == this, "bounds of a greenlet's waits end in another order than they began");
  greenlet_->slots().bounds = outer_;
}

void wait_bound::cancel() noexcept {
  move_to(std::nullopt);
}

void wait_bound::move_to(std::optional<steady_time> when) noexcept {
  disarm();
  hub_.cancel_interrupt(*greenlet_, this);
  when_ = when;
  fired_ = false;
}

std::optional<steady_time> wait_bound::earliest(const greenlet& limited) noexcept {
  std::optional<steady_time> found;
  for (const wait_bound* at = innermost(limited); at != nullptr; at = at->outer_) {
    if (at->when_ && (!found || *at->when_ < *found)) found = at->when_;
  }
  return found;
}

void wait_bound::expired() {
  // Of bounds that are due together the outermost fires; this one stays due, and the next wait finds it.
  wait_bound* first = this;
  for (wait_bound* at = outer_; at != nullptr; at = at->outer_) {
    if (at->when_ && !at->fired_ && *at->when_ <= *first->when_) first = at;
  }
  first->fire();
}

void wait_bound::fire() {
  // The same if something else is pending.
  if (fired_ || hub_.interrupt_pending(*greenlet_)) return;
  fired_ = hub_.interrupt(*greenlet_, make_exception(), this);
}

void wait_bound::enter_wait(greenlet& waiting) {
  std::optional<steady_time> now;
  wait_bound* due = nullptr;
  for (wait_bound* at = innermost(waiting); at != nullptr; at = at->outer_) {
    if (!at->when_ || at->fired_ || at->armed()) continue;
    if (!now) now = at->hub_.now();
    if (*at->when_ > *now)
      at->arm(at->hub_, *at->when_);
    else if (due == nullptr || *at->when_ <= *due->when_)
      due = at;
  }
  if (due != nullptr) due->expired();
}

}  // namespace grove
