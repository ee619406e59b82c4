// SPDX-License-Identifier: Apache-2.0
#include "base/check.h"
#include "worker/greenlet/off_stack.h"
#include "worker/tasks/event.h"
#include "worker/tasks/semaphore.h"
#include "worker/tasks/timeout.h"

namespace grove {

void event::wait() {
  if (set_) return;
  const off_stack<waiter> until_set(hub_);
  waiters_.push(*until_set);
  until_set->wait();
}

bool event::wait_until(steady_time until) {
  if (set_) return true;
  const off_stack<waiter> until_set(hub_);
  waiters_.push(*until_set);
  return until_set->wait_until(until);
}

void semaphore::acquire() {
  (void)wait(std::nullopt);
}

bool semaphore::acquire_until(steady_time until) {
  return wait(until);
}

bool semaphore::wait(std::optional<steady_time> until) {
  if (try_acquire()) return true;
  const off_stack<waiter> turn(hub_);
  struct unwound {
    semaphore& of;
    waiter& side;
    // Dropped with a permit in hand: the wake has not been consumed.
    ~unwound() {
      if (side.woken()) of.release();
    }
  } guard{*this, *turn};
  waiters_.push(*turn);
  if (until) return turn->wait_until(*until);
  turn->wait();
  return true;
}

void semaphore::release() noexcept {
  if (waiter* first = waiters_.pop()) {
    GROVE_DEBUG_CHECK(permits_ == 0, "a greenlet waits for a permit while one is free");
    first->wake();
  } else {
    ++permits_;
    watchers_.wake_all();
  }
}

void bounded_semaphore::release() {
  if (permits() >= permits_max_) throw synchronisation_error("a semaphore is released more often than acquired");
  semaphore::release();
}

bool rlock::nest() noexcept {
  if (!owned()) return false;
  ++depth_;
  return true;
}

void rlock::own() noexcept {
  GROVE_DEBUG_CHECK(owner_ == nullptr && depth_ == 0, "a lock is given to a second owner");
  owner_ = &greenlet::current();
  depth_ = 1;
}

void rlock::acquire() {
  if (nest()) return;
  free_.acquire();
  own();
}

bool rlock::acquire_until(steady_time until) {
  if (nest()) return true;
  if (!free_.acquire_until(until)) return false;
  own();
  return true;
}

bool rlock::try_acquire() {
  if (nest()) return true;
  if (!free_.try_acquire()) return false;
  own();
  return true;
}

void rlock::release() {
  if (!owned()) throw synchronisation_error("a lock is released by another greenlet than its owner");
  GROVE_DEBUG_CHECK(depth_ > 0, "a lock has an owner that has not taken it");
  if (--depth_ > 0) return;
  owner_ = nullptr;
  free_.release();
}

timeout::timeout(hub& on, std::optional<time_span> limit)
    : wait_bound(on, limit ? std::optional(time_after(on.now(), *limit)) : std::nullopt),
      identity_(on.draw_identity()) {}

timeout::timeout(time_span limit, std::string text) : timeout(limit) {
  text_ = std::move(text);
}

timeout::timeout(time_span limit, std::exception_ptr instead) : timeout(limit) {
  instead_ = std::move(instead);
}

void timeout::restart(std::optional<time_span> limit) noexcept {
  move_to(limit ? std::optional(time_after(on().now(), *limit)) : std::nullopt);
}

std::exception_ptr timeout::make_exception() {
  return instead_ != nullptr ? instead_ : std::make_exception_ptr(timeout_expired{identity_, text_});
}

}  // namespace grove
