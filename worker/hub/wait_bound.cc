// SPDX-License-Identifier: Apache-2.0
#include "worker/hub/wait_bound.h"

#include <utility>

#include "worker/greenlet/flow_cursor.h"
#include "worker/greenlet/throw_path.h"
#include "worker/hub/uninterrupted.h"
#include "worker/hub/waiter.h"

namespace grove {

namespace {
/// What keeps deliveries from outside away from the waits of a flow.
unsigned shields_of(const flow_cursor& flow) noexcept {
  return flow.slots().uninterrupted + flow.uncaught();
}
}  // namespace

bool uninterrupted::in_force(greenlet& in) noexcept {
  for (flow_cursor flow(in); flow; flow.go_outward()) {
    if (shields_of(flow) > 0) return true;
  }
  return false;
}

wait_bound::record::record(hub& in, wait_bound& of, std::optional<steady_time> at)
    : on(in),
      bound(of),
      limited(&greenlet::current()),
      flow(limited->running_flow()),
      outer(innermost(flow)),
      when(at),
      shields(shields_of(flow_cursor(*limited))) {
  if (limited->in_continulet()) limited = nullptr;
}

wait_bound::wait_bound(hub& on, std::optional<steady_time> when) : record_(on, *this, limit_of(when)) {
  if (record_->outer != nullptr) record_->outer->inner = &*record_;
  record_->flow.bounds = &*record_;
}

bool wait_bound::drop_inner() noexcept {
  if (innermost()) return false;
  for (record* at = std::exchange(record_->inner, nullptr); at != nullptr;) {
    record& gone = *std::exchange(at, at->inner);
    gone.bound.cancel();
    gone.dropped = true;
    gone.inner = gone.outer = nullptr;
  }
  record_->flow.bounds = &*record_;
  return true;
}

wait_bound::~wait_bound() {
  cancel();
  record& gone = *record_;
  if (gone.dropped) return;
  if (gone.inner != nullptr)
    gone.inner->outer = gone.outer;
  else
    gone.flow.bounds = gone.outer;
  if (gone.outer != nullptr) gone.outer->inner = gone.inner;
}

template <typename Visit>
bool wait_bound::for_each_in_force(greenlet& of, Visit&& visit) {
  for (flow_cursor flow(of); flow; flow.go_outward()) {
    const unsigned shields = shields_of(flow);
    for (record* at = innermost(flow.slots()); at != nullptr && at->shields >= shields; at = at->outer)
      visit(*at);
    if (shields > 0) return false;
  }
  return true;
}

std::optional<steady_time> wait_bound::earliest(greenlet& limited) noexcept {
  std::optional<steady_time> found;
  for_each_in_force(limited, [&found](const record& at) {
    if (at.when && (!found || *at.when < *found)) found = at.when;
  });
  return found;
}

void wait_bound::record::expired() {
  const auto* const waits_in = static_cast<const waiter*>(limited->slots().waiter);
  // What is pending and has not ended the wait cannot be thrown into it.
  const bool is_kept = waits_in != nullptr && !waits_in->scheduled();
  fire_due(*limited, *when, limited->slots().pending != nullptr && !is_kept);
}

std::exception_ptr wait_bound::record::make() noexcept {
  try {
    return bound.make_exception();
  } catch (...) {
    return std::current_exception();
  }
}

bool wait_bound::record::can_be_thrown(greenlet& into) {
  struct attempt {
    record& of;
    bool ends_process = false;
  } attempted{*this};
  const auto look = [](void* with) {
    auto& at = *static_cast<attempt*>(with);
    if (at.of.thrown == nullptr) at.of.thrown = at.of.make();
    const wait_bound* const owner = &at.of.bound;
    const bool on_this_stack = greenlet::current().running_stack().holds(reinterpret_cast<const std::byte*>(owner));
    at.ends_process = would_end_process(at.of.thrown, on_this_stack ? owner : nullptr);
  };
  if (into.is_current())
    look(&attempted);
  else
    (void)look_from(into, look, &attempted);
  if (attempted.ends_process) thrown = nullptr;
  return !attempted.ends_process;
}

void wait_bound::record::take_back() noexcept {
  // What ends a wait is thrown, whatever happens before the greenlet runs.
  const auto* const waits_in = limited == nullptr ? nullptr : static_cast<const waiter*>(limited->slots().waiter);
  if (fired == delivery::pending && waits_in != nullptr && waits_in->delivering()) return;
  fired = delivery::none;
  thrown = nullptr;
}

bool wait_bound::enter_wait(greenlet& waiting, bool is_interrupted) {
  std::optional<steady_time> now;
  bool pending = false;
  bool due = false;
  for_each_in_force(waiting, [&](record& at) {
    if (at.fired == delivery::pending) {
      pending = at.can_be_thrown(waiting);
      if (!pending) at.fired = delivery::none;
    }
    if (!at.when || at.fired != delivery::none || at.armed()) return;
    if (!now) now = at.on.now();
    if (*at.when <= *now)
      due = true;
    else if (at.limited != nullptr)
      at.arm(at.on, *at.when);
  });
  return pending || (due && fire_due(waiting, *now, is_interrupted));
}

bool wait_bound::fire_due(greenlet& waiting, steady_time now, bool is_interrupted) {
  auto* const waits_in = static_cast<waiter*>(waiting.slots().waiter);
  const bool is_thrown_now = waits_in == nullptr ? waiting.is_current() : waits_in->can_be_interrupted();
  bool pending = is_interrupted;
  for_each_in_force(waiting, [&](record& at) {
    pending |= at.fired == delivery::pending;
    at.is_tried = false;
  });
  if (pending) return false;
  for (;;) {
    record* due = nullptr;
    for_each_in_force(waiting, [&](record& at) {
      if (!at.when || at.fired != delivery::none || *at.when > now || at.is_tried) return;
      // Of those that are due together the outermost fires; an inner one stays due, and the next wait finds it.
      if (due == nullptr || *at.when <= *due->when) due = &at;
    });
    if (due == nullptr) return false;
    due->is_tried = true;
    if (is_thrown_now && !due->can_be_thrown(waiting)) continue;
    due->fired = delivery::pending;
    if (waits_in != nullptr) waits_in->interrupted();
    return true;
  }
}

void wait_bound::arm_in_continulets(greenlet& waiting) {
  for_each_in_force(waiting, [&waiting](record& at) {
    if (at.limited != nullptr) return;
    at.limited = &waiting;
    if (at.when && at.fired == delivery::none) at.arm(at.on, *at.when);
  });
}

void wait_bound::disarm_in_continulets(greenlet& waiting) noexcept {
  const flow_slots& first = waiting.slots().first_flow;
  for (flow_cursor flow(waiting); &flow.slots() != &first; flow.go_outward()) {
    for (record* at = innermost(flow.slots()); at != nullptr; at = at->outer) {
      at->disarm();
      at->limited = nullptr;
    }
  }
}

wait_bound::record* wait_bound::pending_in(greenlet& of) noexcept {
  record* found = nullptr;
  for_each_in_force(of, [&found](record& at) {
    if (at.fired == delivery::pending) found = &at;
  });
  return found;
}

std::exception_ptr wait_bound::take_pending(greenlet& waiting) noexcept {
  record* const pending = pending_in(waiting);
  if (pending == nullptr) return nullptr;
  pending->fired = delivery::thrown;
  return pending->thrown != nullptr ? std::exchange(pending->thrown, nullptr) : pending->make();
}

}  // namespace grove
