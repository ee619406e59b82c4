// SPDX-License-Identifier: Apache-2.0
#include "worker/tasks/membership.h"

#include "base/check.h"
#include "worker/greenlet/off_stack.h"

namespace grove::tasks::detail {

bool membership::has_caller() const noexcept {
  return contains(task_base::calling());
}

std::vector<task_ptr> membership::members() const {
  std::vector<task_ptr> all;
  all.reserve(order_.size());
  for (const auto& [number, task] : order_)
    all.push_back(task);
  return all;
}

void membership::require_open() const {
  if (ended_) throw greenlet_error("a group that has gone gets no more members");
}

bool membership::enter(std::optional<steady_time> until) {
  require_open();
  if (!take_place(until)) return false;
  if (!ended_) return true;
  give_place_back();
  require_open();
  return false;
}

bool membership::try_enter() {
  require_open();
  return try_take_place();
}

void membership::entered::keep_for(const task_ptr& task) {
  const std::uint64_t number = ++in_.members_ever_;
  if (!in_.places_.try_emplace(task.get(), place{number, 0}).second) return;
  kept_ = true;  // from here on, it is given back by leave()
  try {
    in_.order_.emplace(number, task);
    in_.places_.at(task.get()).link =
        task->watch([set = in_.shared_from_this()](task_base& ended) { set->leave(ended); });
  } catch (...) {
    in_.leave(*task);
    throw;
  }
  if (in_.ended_ || in_.killing_ > 0) in_.kill_one(task, kill_mode::do_not_wait, in_.killed_with_, std::nullopt);
}

void membership::add_entered(const task_ptr& task) {
  entered(*this).keep_for(task);
}

bool membership::discard(task_base& task) noexcept {
  const auto found = places_.find(&task);
  if (found == places_.end()) return false;
  const task_ptr keep(&task);
  task.unlink(found->second.link);
  leave(task);
  return true;
}

void membership::leave(const task_base& task) noexcept {
  const auto found = places_.find(&task);
  if (found == places_.end()) return;
  order_.erase(found->second.number);
  places_.erase(found);
  GROVE_DEBUG_CHECK(order_.size() == places_.size(), "a member of a group has no place in its order, or two");
  give_place_back();
  if (order_.empty()) until_empty_.wake_all();
}

bool membership::wait_empty(std::optional<steady_time> until) {
  while (!order_.empty()) {
    const off_stack<waiter> empty(hub_);
    until_empty_.push(*empty);
    if (!until)
      empty->wait();
    else if (!empty->wait_until(*until))
      return false;
  }
  return true;
}

std::vector<task_ptr> membership::take_unkilled() {
  std::vector<task_ptr> taken;
  for (const auto& [number, task] : order_) {
    if (!std::exchange(places_.at(task.get()).killed, true) || task->is_current()) taken.push_back(task);
  }
  return taken;
}

void membership::kill_all(const std::exception_ptr& thrown) {
  killall(take_unkilled(), {.mode = kill_mode::do_not_wait, .thrown = thrown});
}

bool membership::kill_one(const task_ptr& task, kill_mode mode, std::exception_ptr thrown,
                          std::optional<steady_time> until) {
  const auto found = places_.find(task.get());
  if (found == places_.end()) return task->ready();
  if (!std::exchange(found->second.killed, true) || task->is_current())
    return task->kill(mode, std::move(thrown), until);
  return mode == kill_mode::wait ? task->join(until) : task->ready();
}

bool membership::kill_and_wait(const std::exception_ptr& thrown, std::optional<steady_time> until) {
  kill_all(thrown);
  struct newcomers_too {
    membership& in;
    ~newcomers_too() {
      if (--in.killing_ == 0) in.killed_with_ = nullptr;
    }
  };
  ++killing_;
  const newcomers_too guard{*this};
  killed_with_ = thrown;
  return wait_empty(until);
}

bool membership::caller_may_wait() const noexcept {
  return hub::current_or_null() == &hub_ && !hub_.in_hub() && !greenlet::current().unwinding() && !has_caller();
}

void membership::end() noexcept {
  ended_ = true;
  if (order_.empty()) return;
  try {
    for (const task_ptr& at : members()) {
      if (!at->is_current() && !at->exit_pending()) at->kill(kill_mode::do_not_wait);
    }
    while (!order_.empty() && caller_may_wait()) {
      const off_stack<waiter> empty(hub_);
      until_empty_.push(*empty);
      empty->wait_uninterrupted();
    }
  } catch (...) {
    // The greenlet is being unwound by a drop: it waits no more, and what unwinds it goes on when its destructors have
    // returned.
  }
}

}  // namespace grove::tasks::detail
