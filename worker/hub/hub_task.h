// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a hub must know of a greenlet that it runs from its start to its end. What waits for that end, asks for a value or
// kills is made on top of it, see worker/tasks; a hub without any of it has no tasks.

#include <cstdint>
#include <exception>

#include "base/check.h"
#include "worker/hub/hub.h"
#include "worker/hub/ready.h"

namespace grove {

/// A task, as its hub knows it: listed while it is live, waiting for a stack where there is none, ended when the hub goes.
/// Affinity: hub thread.
class hub_task : protected ready_item {
 public:
  [[nodiscard]] hub& on() const noexcept { return hub_; }
  /// A number that no other task of the hub has ever had, in the order of making.
  [[nodiscard]] std::uint64_t number() const noexcept { return number_; }
  /// Finished, in whatever way, and its captures destroyed.
  [[nodiscard]] virtual bool ready() const noexcept = 0;

 protected:
  explicit hub_task(hub& on) noexcept : hub_(on), number_(++on.tasks_ever_) {}

  /// The task that a greenlet is; null if it is none.
  [[nodiscard]] static hub_task* of(greenlet& spawned) noexcept { return static_cast<hub_task*>(spawned.slots().task); }
  /// From now on the greenlet is this task.
  void become(greenlet& spawned) noexcept { spawned.slots().task = this; }

  /// Makes it one of the live ones.
  void enlist() noexcept {
    GROVE_DEBUG_CHECK(next_ == nullptr && previous_ == nullptr && hub_.tasks_ != this, "a task becomes live twice");
    next_ = hub_.tasks_;
    if (next_ != nullptr) next_->previous_ = this;
    hub_.tasks_ = this;
    ++hub_.live_tasks_;
  }
  void delist() noexcept {
    GROVE_DEBUG_CHECK((previous_ == nullptr ? hub_.tasks_ : previous_->next_) == this, "a task ends that is not live");
    (previous_ == nullptr ? hub_.tasks_ : previous_->next_) = next_;
    if (next_ != nullptr) next_->previous_ = previous_;
    --hub_.live_tasks_;
  }
  /// The live task that was started last, and the one that was started before this one; null if there is none.
  [[nodiscard]] static hub_task* newest(const hub& of) noexcept { return of.tasks_; }
  [[nodiscard]] hub_task* older() const noexcept { return next_; }

  /// Tells the hub's observer.
  void announce_start() {
    if (hub_.task_observer_ != nullptr) [[unlikely]]
      hub_.task_observer_->started(*this);
  }
  /// Posts it again when there may be a stack for it.
  void wait_for_stack();
  /// Takes it out of the queue that it is in.
  void leave_queue() noexcept;

  /// The task that the hub would start next, in a greenlet of its own; null if the hub would do something else. It may
  /// be taken, and run at once in the greenlet of a task that has ended.
  [[nodiscard]] hub_task* next_to_start() const noexcept {
    return static_cast<hub_task*>(hub_.handover_.next_to_start());
  }
  void take_start() noexcept { hub_.handover_.take_start(); }

  /// Stops the hub with an error that is one of the system; false for any other, which is the caller's business.
  bool escalate(const std::exception_ptr& error) noexcept { return hub_.escalate(error); }
  /// Throws what a wait of the calling greenlet would.
  static void throw_deliverable(greenlet& self);

  hub& hub_;

 private:
  friend class hub;
  friend class waiter;

  /// The hub goes: throws greenlet_exit into it at its present or next wait, and does not wait for the end.
  virtual void exit_with_hub() = 0;
  /// It is still there: the same once more, at once and whatever it waits for.
  virtual void exit_at_once() = 0;
  /// The next of the deliveries that are kept until nothing is pending: there is one when its slots say `kill_deferred`.
  [[nodiscard]] virtual std::exception_ptr take_deferred_kill() noexcept = 0;

  const std::uint64_t number_;
  bool waits_for_stack_ = false;
  bool exits_with_hub_ = false;
  hub_task* next_ = nullptr;
  hub_task* previous_ = nullptr;
};

}  // namespace grove
