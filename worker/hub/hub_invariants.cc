// SPDX-License-Identifier: Apache-2.0

// What holds between two passes of a loop, looked at as a whole: for tests and simulations, after each of their steps.

#include <bit>

#include "base/check.h"
#include "worker/hub/hub.h"
#include "worker/hub/hub_task.h"
#include "worker/hub/ready.h"
#include "worker/hub/timer.h"

namespace grove {

void ready_queue::check_invariants() const {
  GROVE_CHECK(capacity_ == 0 || std::has_single_bit(capacity_), "a ready queue's ring is no power of two");
  GROVE_CHECK(first_ <= end_ && end_ - first_ <= capacity_, "a ready queue has more than its ring");
  std::size_t items = 0;
  for (std::uint64_t at = first_; at != end_; ++at) {
    const ready_item* const item = ring_[at & (capacity_ - 1)];
    if (item == nullptr) continue;  // One that was taken back.
    ++items;
    GROVE_CHECK(item->place_ == at + 1, "an item is in the ready queue twice, or in two");
    GROVE_CHECK(item->waits_ == nullptr || !item->starts_, "an item both resumes a greenlet and starts a task");
    GROVE_CHECK(item->waits_ == nullptr || !item->waits_->dead(), "a greenlet that has ended is ready to go on");
  }
  GROVE_CHECK(items == size_, "a ready queue has another number of items than it says");
}

void timer_heap::check_invariants() const {
  constexpr std::size_t children_of_node = 4;
  std::size_t background = 0;
  for (std::size_t at = 0; at < entries_.size(); ++at) {
    const entry& e = entries_[at];
    GROVE_CHECK(e.timer->heap_ == this && e.timer->at_ == at, "a timer does not know its place in the heap");
    GROVE_CHECK(e.order < armed_ever_, "a timer was armed later than all that were");
    GROVE_CHECK(at == 0 || !e.before(entries_[(at - 1) / children_of_node]), "the heap of timers is out of order");
    if (e.timer->background_) ++background;
  }
  GROVE_CHECK(background == background_, "the number of background timers is not what was counted");
}

void hub::check_invariants() const {
  GROVE_CHECK(is_on_thread(), "a hub is looked at from another thread");
  for (const ready_queue& queue : ready_)
    queue.check_invariants();
  GROVE_CHECK(!handover_.is_open(), "greenlets may run in the hub's place between passes");
  timers_.check_invariants();
  GROVE_CHECK(foreign_ran_ <= foreign_taken_.size(), "more posted calls have run than were taken");

  std::size_t live = 0;
  const hub_task* newer = nullptr;
  for (const hub_task* task = tasks_; task != nullptr; newer = task, task = task->next_) {
    ++live;
    GROVE_CHECK(live <= live_tasks_, "more tasks are listed than live, or the list has a circle");
    GROVE_CHECK(task->previous_ == newer, "the list of tasks is torn");
    GROVE_CHECK(&task->hub_ == this, "a task is in the list of another hub");
    GROVE_CHECK(task->number_ <= tasks_ever_, "a task has a number that was never given");
  }
  GROVE_CHECK(live == live_tasks_, "fewer tasks are listed than live");

  stack_waiters_.check_invariants();
  for (std::uint64_t at = stack_waiters_.first_; at != stack_waiters_.end_; ++at) {
    const ready_item* const item = stack_waiters_.ring_[at & (stack_waiters_.capacity_ - 1)];
    GROVE_CHECK(item == nullptr || static_cast<const hub_task*>(item)->waits_for_stack_,
                "a task waits for a stack and does not know");
  }
}

}  // namespace grove
