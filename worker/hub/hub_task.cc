// SPDX-License-Identifier: Apache-2.0
#include "worker/hub/hub_task.h"

#include <chrono>
#include <utility>

#include "base/check.h"
#include "base/fatal.h"
#include "worker/hub/waiter.h"

namespace grove {

// Tasks that have found no stack. One that comes back may help, or a higher bound; where the system has no memory for
// more stacks, time alone may, too.

namespace {
constexpr std::chrono::milliseconds retry_interval{100};
}

void hub_task::wait_for_stack() {
  GROVE_CHECK(!waits_for_stack_, "a task waits for a stack twice");
  waits_for_stack_ = true;
  hub_.stack_waiters_.push(*this);
  hub_.stacks_used_then_ = thread_stacks().in_use();
  if (!thread_stacks().exhausted()) hub_.stack_retry_.arm(hub_, time_after(hub_.now(), retry_interval));
}

void hub_task::leave_queue() noexcept {
  if (is_queued()) {
    if (waits_for_stack_)
      hub_.stack_waiters_.remove(*this);
    else
      hub_.unpost(*this);
  }
  waits_for_stack_ = false;
}

void hub::try_stack_waiters() noexcept {
  const stack_pool& stacks = thread_stacks();
  if (stacks.exhausted() || (stack_retry_.armed() && stacks.in_use() >= stacks_used_then_)) return;
  stack_retry_.disarm();
  while (!stack_waiters_.empty()) {
    auto& task = static_cast<hub_task&>(stack_waiters_.pop());
    task.waits_for_stack_ = false;
    post(task);
  }
}

// Tasks that are left when their hub goes.

void hub::unwind_tasks() noexcept {
  constexpr int rounds_max = 100;
  // Once each: what a task does when it is killed may need some passes. A task that goes away stays until the next pass.
  const auto exit_all = [this] {
    for (hub_task* at = tasks_; at != nullptr;) {
      hub_task& task = *std::exchange(at, at->next_);
      if (!std::exchange(task.exits_with_hub_, true)) task.exit_with_hub();
    }
  };
  try {
    for (int round = 0; round < rounds_max && (tasks_ != nullptr || !nothing_ready()); ++round) {
      exit_all();
      pass(true);
    }
    // What is left has swallowed greenlet_exit and waits again, some in what no kill reaches.
    for (int round = 0; round < rounds_max && tasks_ != nullptr; ++round) {
      tasks_->exit_at_once();
      pass(true);
    }
  } catch (...) {
    report("a greenlet that is unwound with the hub", caught_error());
  }
  GROVE_CHECK(tasks_ == nullptr, "a spawned greenlet cannot be unwound: a catch (...) must throw greenlet_exit on");
}

void hub_task::throw_deliverable(greenlet& self) {
  waiter::throw_deliverable(self);
}

}  // namespace grove
