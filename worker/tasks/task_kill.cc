// SPDX-License-Identifier: Apache-2.0

// Kills: what is thrown into a task from outside, and when.
//
// - One kill is pending in the greenlet's slots, where every wait looks. Those that come meanwhile, or find something else
//   pending, are kept in order; a wait that finds nothing pending takes the next one.
// - The captures of a body are somebody else's code: their destructors may kill the task and others, and may wait. The
//   task leaves its state before they run, and is finished after.

#include <algorithm>
#include <exception>
#include <memory>
#include <utility>

#include "base/check.h"
#include "worker/greenlet/greenlet.h"
#include "worker/tasks/internal/task_kills.h"
#include "worker/tasks/task_base.h"
#include "worker/tasks/thrown_is.h"

namespace grove {

tasks::detail::task_kills& task_base::kills() {
  if (kills_ == nullptr) kills_ = std::make_unique<tasks::detail::task_kills>();
  return *kills_;
}

bool task_base::drops_body() const noexcept {
  return is_current() || (kills_ != nullptr && kills_->ends_in == &greenlet::current());
}

void task_base::cancel_start() noexcept {
  hub_timer::disarm();
  leave_queue();
}

void task_base::end_before_start(std::exception_ptr thrown) noexcept {
  if (state_ == state::fresh) enlist();
  cancel_start();
  state_ = state::ending;
  kills().ends_in = &greenlet::current();
  drop_body();
  kills_.reset();
  const bool exits = thrown_is<greenlet_exit>(thrown);
  finish(exits ? nullptr : std::move(thrown), exits);
}

void task_base::forget_kills() noexcept {
  const std::unique_ptr<tasks::detail::task_kills> too_late = std::move(kills_);
  greenlet_->slots().kill_deferred = false;
  (void)waiter::take_interrupt();
}

bool task_base::kill(kill_mode mode, std::exception_ptr thrown, std::optional<steady_time> until) {
  if (ready()) return true;
  if (state_ != state::ending) {
    if (thrown == nullptr) thrown = std::make_exception_ptr(greenlet_exit());
    if (state_ != state::running) {
      end_before_start(std::move(thrown));
      return true;
    }
    deliver(std::move(thrown));
    if (is_current()) {
      if (mode == kill_mode::wait && std::uncaught_exceptions() == 0) throw_deliverable(*greenlet_);
      return false;
    }
  }
  return mode == kill_mode::wait && join(until);
}

void task_base::deliver(std::exception_ptr thrown) {
  greenlet_slots& slots = greenlet_->slots();
  if (!slots.kill_deferred && hub_.interrupt(*greenlet_, thrown, this)) return;
  kills().deferred.push_back(std::move(thrown));
  slots.kill_deferred = true;
}

void task_base::exit_at_once() {
  if (state_ == state::running) greenlet_->throw_in();
}

std::exception_ptr task_base::take_deferred_kill() noexcept {
  GROVE_CHECK(kills_ != nullptr && !kills_->deferred.empty(), "a task has said that more kills wait, and none does");
  auto& deferred = kills_->deferred;
  std::exception_ptr next = std::move(deferred.front());
  deferred.pop_front();
  greenlet_->slots().kill_deferred = !deferred.empty();
  return next;
}

bool task_base::exit_pending() const noexcept {
  if (state_ != state::running) return false;
  const greenlet_slots& slots = greenlet_->slots();
  if (slots.pending_source == this && thrown_is<greenlet_exit>(slots.pending)) return true;
  if (kills_ == nullptr) return false;
  return std::ranges::any_of(kills_->deferred, [](const auto& at) { return thrown_is<greenlet_exit>(at); });
}

}  // namespace grove
