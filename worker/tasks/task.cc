// SPDX-License-Identifier: Apache-2.0
#include "worker/tasks/task.h"

#include <cstdio>

#include "base/check.h"
#include "base/fatal.h"
#include "worker/greenlet/off_stack.h"
#include "worker/tasks/internal/spawn_state.h"
#include "worker/tasks/internal/task_kills.h"

namespace grove {

task_base::task_base(hub& on, stack_class stack) : hub_task(on), stack_(stack) {
  task_base* const spawner = calling();
  if (spawner == nullptr) return;
  spawner_number_ = spawner->number();
  adopt_tree(*spawner);
}

task_base::~task_base() {
  GROVE_DEBUG_CHECK(state_ == state::fresh || state_ == state::finished, "a task goes before it has ended");
  leave_tree();
  if (error_ == nullptr || observed_) return;
  if (hub* on = hub::current_or_null())
    on->report("a spawned greenlet", error_);
  else
    std::fputs("error in a spawned greenlet, found after its hub had gone\n", stderr);
}

void task_base::release() noexcept {
  GROVE_DEBUG_CHECK(handles_ > 0, "a task is released more often than it was held");
  if (--handles_ == 0) delete this;
}

void task_base::set_name(std::string_view name) noexcept {
  name_ = name;
  if (greenlet_) greenlet_->set_name(name);
}

void task_base::start(std::optional<steady_time> when) {
  if (state_ != state::fresh) return;
  state_ = state::scheduled;
  starts_ = true;
  if (when)
    hub_timer::arm(hub_, *when);
  else
    hub_.post(*this);
  enlist();
  announce_start();
}

void task_base::enlist() noexcept {
  acquire();  // the hub's handle, until the end has been announced
  hub_task::enlist();
}

void task_base::expired() {
  enter();
}

void task_base::run() {
  if (state_ == state::finished)
    notify();
  else
    enter();
}

void task_base::enter() {
  if (!greenlet_) {
    greenlet_ =
        greenlet::make([this] { run_in_greenlet(); }, {.parent = &hub_.hub_greenlet(), .stack = stack_, .name = name_});
    if (state_ != state::scheduled) return;  // killed by what was unwound then, dropped by other threads
  }
  if (!greenlet_->try_reserve_stack()) return wait_for_stack();
  begin();
  greenlet_->resume();
}

void task_base::begin() noexcept {
  GROVE_DEBUG_CHECK(state_ == state::scheduled, "a task begins that has not been scheduled, or has begun");
  starts_ = false;
  state_ = state::running;
  become(*greenlet_);
}

void task_base::run_in_greenlet() {
  for (task_base* at = this; at != nullptr; at = at->hand_greenlet_on())
    at->run_body();
}

task_base* task_base::hand_greenlet_on() noexcept {
  // A greenlet costs more than most short bodies, so one runs all those that come next, unless somebody could tell.
  auto* const next = static_cast<task_base*>(next_to_start());
  if (next == nullptr || next->stack_ != stack_ || next->greenlet_ || !greenlet_->try_renew(hub_.hub_greenlet()))
    return nullptr;
  take_start();
  next->greenlet_ = std::move(greenlet_);
  next->greenlet_->set_name(next->name_);
  next->begin();
  return next;
}

void task_base::run_body() {
  std::exception_ptr error;
  bool exited = false;
  try {
    body();
  } catch (const greenlet_exit&) {
    exited = true;
  } catch (...) {
    error = caught_error();
  }
  state_ = state::ending;
  if (kills_ != nullptr || greenlet_->slots().pending != nullptr) [[unlikely]]
    forget_kills();
  drop_body();
  finish(std::move(error), exited);
}

void task_base::finish(std::exception_ptr error, bool exited) noexcept {
  GROVE_DEBUG_CHECK(state_ == state::ending, "a task ends twice, or before its body has");
  state_ = state::finished;
  starts_ = false;
  error_ = std::move(error);
  exited_ = exited;
  if (error_ != nullptr && escalate(error_)) observed_ = true;
  delist();
  if (ident_ != 0) hub_.service<tasks::detail::spawn_state>().give_back(ident_ - 1U);
  // The rest must happen off the task's own stack. The hub's handle goes with it. Links are called before the greenlets
  // that join run, so that these find a group without the finished member.
  hub_.post(*this);
  joiners_.wake_all();
}

void task_base::notify() noexcept {
  greenlet_.reset();
  leave_tree();
  if (links_.last() > 0) call_links();
  release();
}

void task_base::call_links() noexcept {
  std::uint64_t called = 0;
  while (auto next = links_.take_after(called)) {
    called = next->number;
    if (next->when != link_on::any && successful() != (next->when == link_on::value)) continue;
    try {
      call(*next);
    } catch (...) {
      hub_.report("a link of a spawned greenlet", caught_error());
    }
  }
  links_.trim();
}

void task_base::call(tasks::detail::task_links::link& due) {
  if (due.where == link_in::hub) return due.call(*this);
  spawn_on(hub_, [self = task_ptr(this), call = std::move(due.call)]() mutable { call(*self); });
}

bool task_base::join(std::optional<steady_time> until) {
  if (ready()) return true;
  if (ends_in_caller()) return false;
  const off_stack<waiter> end(hub_);
  joiners_.push(*end);
  if (until) return end->wait_until(*until);
  end->wait();
  return true;
}

void task_base::join_uninterrupted() {
  if (ready() || ends_in_caller()) return;
  const off_stack<waiter> end(hub_);
  joiners_.push(*end);
  end->wait_uninterrupted();
}

std::uint64_t task_base::link(link_function call, link_on when, link_in where) {
  if (when != link_on::value) observed_ = true;
  return add_link({0, std::move(call), when, where});
}

std::uint64_t task_base::watch(link_function call) {
  return add_link({0, std::move(call), link_on::any, link_in::hub, true});
}

std::uint64_t task_base::add_link(tasks::detail::task_links::link added) {
  const std::uint64_t number = links_.add(std::move(added));
  if (ready() && !is_queued()) {
    acquire();
    hub_.post(*this);
  }
  return number;
}

void task_base::unlink(std::uint64_t number) noexcept {
  links_.remove(number);
}

void task_base::unlink_all() noexcept {
  std::vector<tasks::detail::task_links::link> gone;  // goes last: what the callables own may link anew as it goes
  while (auto next = links_.take_after(gone.empty() ? 0 : gone.back().number, link_kind::without_watches))
    gone.push_back(std::move(*next));
}

void task_base::throw_failure() const {
  std::rethrow_exception(failure());
}

std::exception_ptr task_base::failure() const noexcept {
  observed_ = true;
  return error_ != nullptr ? error_ : std::make_exception_ptr(task_killed("the task was killed and has no value"));
}

}  // namespace grove
