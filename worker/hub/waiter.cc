// SPDX-License-Identifier: Apache-2.0
#include "worker/hub/waiter.h"

#include <string>

#include "base/check.h"
#include "base/fatal.h"
#include "worker/greenlet/off_stack.h"
#include "worker/greenlet/throw_path.h"
#include "worker/hub/hub_task.h"
#include "worker/hub/internal/initialiser_check.h"
#include "worker/hub/uninterrupted.h"
#include "worker/hub/wait_bound.h"
#include "worker/hub/wait_listener.h"

namespace grove {

waiter::~waiter() {
  GROVE_DEBUG_CHECK(state_ == state::idle || state_ == state::link, "a waiter goes while a greenlet waits in it");
  leave_list();
}

void waiter::leave_list() noexcept {
  if (list_ != nullptr) list_->remove(*this);
}

void waiter::wait() {
  if (park() == outcome::interrupted) std::rethrow_exception(take_interrupt());
}

bool waiter::wait_until(steady_time when) {
  const outcome ended = park(when);
  if (ended == outcome::interrupted) std::rethrow_exception(take_interrupt());
  return ended == outcome::woken;
}

void waiter::wait_uninterrupted() {
  (void)suspend(false, std::nullopt);
}

waiter::outcome waiter::park(std::optional<steady_time> until) {
  return suspend(true, until);
}

std::exception_ptr waiter::take_interrupt() noexcept {
  greenlet& self = greenlet::current();
  if (may_be_limited(self)) {
    if (std::exception_ptr limit = wait_bound::take_pending(self)) return limit;
  }
  if (uninterrupted::in_force(self)) return nullptr;
  greenlet_slots& slots = self.slots();
  slots.pending_source = nullptr;
  return std::exchange(slots.pending, nullptr);
}

bool waiter::find_deliverable(greenlet& self) {
  greenlet_slots& slots = self.slots();
  const bool from_outside = (slots.pending != nullptr || slots.kill_deferred) && !uninterrupted::in_force(self);
  if (from_outside && slots.pending == nullptr) {
    hub_task& task = *hub_task::of(self);
    slots.pending = task.take_deferred_kill();
    slots.pending_source = &task;
  }
  const bool is_interrupted = from_outside && !would_end_process(slots.pending);
  return (may_be_limited(self) && wait_bound::enter_wait(self, is_interrupted)) || is_interrupted;
}

waiter::outcome waiter::suspend(bool interruptible, std::optional<steady_time> until) {
  greenlet& self = greenlet::current();
  GROVE_DEBUG_CHECK(state_ != state::link, "a link is waited in");
  GROVE_DEBUG_CHECK(state_ == state::idle, "two greenlets wait in one waiter");
  GROVE_DEBUG_CHECK(hub_.is_on_thread(), "a waiter is waited in on another thread than its hub's");
  interruptible_ = interruptible;
  if (woken_)
    outcome_ = outcome::woken;
  else if (interruptible && deliverable(self))
    outcome_ = outcome::interrupted;
  else if (until && *until <= hub_.now())
    outcome_ = outcome::timed_out;
  else
    return park_until(self, until);
  woken_ = false;
  leave_list();
  return outcome_;
}

waiter::outcome waiter::park_until(greenlet& self, std::optional<steady_time> until) {
  if (self.sliced() && self.own_stack().holds(this)) {
    leave_list();
    throw greenlet_error("a waiter on a sliced stack: it belongs in an off_stack");
  }
  if (until) hub_timer::arm(hub_, *until);
  outcome_ = outcome::woken;
  state_ = state::parked;
  switch_out(self);
  if (outcome_ == outcome::woken) woken_ = false;
  return outcome_;
}

void waiter::throw_may_not_wait(const greenlet& self) {
  if (!self.unwinding())
    throw blocking_in_hub("a wait in the hub's own context: callbacks, timers and components must not block");
  GROVE_CHECK(std::uncaught_exceptions() == 0, "a destructor waits while its greenlet is unwound by a drop");
  throw greenlet_exit();
}

void waiter::throw_resumed_by_another() {
  if (greenlet::current().unwinding() && std::uncaught_exceptions() > 0)
    fatal("a greenlet is dropped while a destructor in it waits: the wait cannot end");
  throw greenlet_error("a greenlet that waits was resumed by another than its hub");
}

void waiter::switch_out(greenlet& self) {
  struct leaving {
    waiter& of;
    ~leaving() { of.leave(); }
  } guard{*this};
  waits_ = &self;
  check_may_wait(hub_, self);
  hubs::detail::check_initialisers(hub_, self);
  greenlet_slots& slots = self.slots();
  if (interruptible_ && self.in_continulet()) [[unlikely]]
    wait_bound::arm_in_continulets(self);
  slots.waiter = this;
  ++hub_.waiting_;
  if (slots.turn_listens) [[unlikely]]
    static_cast<wait_listener*>(slots.turn)->waits();
  hub_.next_to_run().resume();
  if (state_ != state::scheduled || is_queued()) throw_resumed_by_another();
  if (slots.turn_listens) [[unlikely]]
    static_cast<wait_listener*>(slots.turn)->goes_on();
}

void waiter::leave() noexcept {
  hub_timer::disarm();
  leave_list();
  if (state_ == state::scheduled && is_queued()) hub_.unpost(*this);
  state_ = state::idle;
  greenlet* self = std::exchange(waits_, nullptr);
  if (self->in_continulet()) [[unlikely]]
    wait_bound::disarm_in_continulets(*self);
  if (self->slots().waiter != this) return;
  GROVE_DEBUG_CHECK(hub_.waiting_ > 0, "more greenlets have ended their waits than waited");
  self->slots().waiter = nullptr;
  --hub_.waiting_;
}

void waiter::wake() noexcept {
  GROVE_DEBUG_CHECK(hub_.is_on_thread(), "a waiter is woken from another thread than its hub's");
  woken_ = true;
  if (state_ == state::link) return notified();
  if (state_ != state::parked) return;
  outcome_ = outcome::woken;
  schedule();
}

void waiter::schedule() noexcept {
  state_ = state::scheduled;
  hub_timer::disarm();
  leave_list();
  hub_.post(*this);
}

void waiter::expired() {
  outcome_ = outcome::timed_out;
  schedule();
}

void waiter::interrupt_from_outside(const std::exception_ptr& thrown) {
  struct question {
    const std::exception_ptr& thrown;
    bool ends_process = false;
  } asked{thrown};
  const auto look = [](void* with) {
    auto& at = *static_cast<question*>(with);
    at.ends_process = would_end_process(at.thrown);
  };
  if (!can_be_interrupted() || uninterrupted::in_force(*waits_)) return;
  (void)look_from(*waits_, look, &asked);
  if (!asked.ends_process) interrupted();
}

void waiter::interrupted() noexcept {
  if (!can_be_interrupted()) return;
  outcome_ = outcome::interrupted;
  schedule();
}

waiter_list::~waiter_list() {
  while (pop() != nullptr) {
  }
}

void waiter_list::push(waiter& w) noexcept {
  GROVE_CHECK(w.list_ == nullptr, "a waiter is in two lists");
  w.list_ = this;
  w.previous_ = last_;
  (last_ == nullptr ? first_ : last_->next_) = &w;
  last_ = &w;
}

void waiter_list::remove(waiter& w) noexcept {
  GROVE_CHECK(w.list_ == this, "a waiter is taken out of a list that it is not in");
  (w.previous_ == nullptr ? first_ : w.previous_->next_) = w.next_;
  (w.next_ == nullptr ? last_ : w.next_->previous_) = w.previous_;
  w.list_ = nullptr;
  w.next_ = w.previous_ = nullptr;
}

waiter* waiter_list::pop() noexcept {
  waiter* first = first_;
  if (first != nullptr) remove(*first);
  return first;
}

void waiter_list::wake_all() noexcept {
  while (waiter* first = pop())
    first->wake();
}

void sleep_until(steady_time when) {
  hub& on = hub::current();
  if (when <= on.now()) return yield();
  const off_stack<waiter> asleep(on);
  (void)asleep->wait_until(when);
}

void sleep_for(time_span delay) {
  if (delay.length() <= steady_duration::zero()) return yield();
  sleep_until(time_after(hub::current().now(), delay));
}

}  // namespace grove
