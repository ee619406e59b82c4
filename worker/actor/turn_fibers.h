// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "worker/greenlet/greenlet.h"
#include "worker/hub/hub.h"
#include "worker/hub/wait_bound.h"

namespace grove {

/// A greenlet that lets a fiber run in its place: for a call of an actor whose turn can begin at once. It goes on when that
/// turn has ended, by a bare switch, or when it begins to wait: from the hub's line then, to wait itself.
/// Lifetime: on the stack of the greenlet that made it, or in an off_stack.
class lender : private ready_item {
 public:
  explicit lender(hub& on) noexcept : on_{on} { waits_ = &greenlet::current(); }
  ~lender() override {
    if (is_queued()) on_.unpost(*this);
  }
  [[nodiscard]] greenlet& fiber() const noexcept { return *waits_; }
  [[nodiscard]] hub& on() const noexcept { return on_; }
  void stand_in_line() noexcept { on_.post(*this); }

 private:
  hub& on_;
};

/// The pool of greenlets that turns run in. One that is waiting in a turn is not to be had; when all others are in use,
/// another one is made, as long as there are stacks.
/// Affinity: the hub's thread.
class turn_fibers {
 public:
  /// How many that have nothing to do are kept, with their stacks, for the next turns that wait.
  static constexpr std::size_t idle_kept_max = 256;
  static constexpr std::chrono::seconds cleaning_up_max{1};
  /// How many shrink() ends, about a microsecond each.
  static constexpr std::size_t ended_at_once_max = 1000;

  /// A greenlet that works, and the bound of its waits that is set to the deadline of each turn: one that was made for
  /// each of them would cost more than turns that do not wait should pay.
  struct place {
    greenlet& fiber;
    wait_bound& within;
    lender* lent_by = nullptr;  ///< Who goes on next; null: the hub.

    /// To be called when the fiber is about to wait, or ends.
    void give_back() noexcept {
      if (lender* const waits = std::exchange(lent_by, nullptr)) waits->stand_in_line();
    }
  };
  using step = std::function<void(place& in)>;

  /// `work` is what a fiber does each time that it is resumed; it is told where. What it throws is reported to the hub,
  /// and the fiber goes on. `expired` makes what a wait throws that lasts beyond the bound.
  turn_fibers(hub& on, step work, std::exception_ptr (*expired)());
  ~turn_fibers();
  turn_fibers(const turn_fibers&) = delete;
  turn_fibers& operator=(const turn_fibers&) = delete;

  /// Lets one work until it has done its work or waits. False: every stack is in use.
  /// Affinity: the hub's greenlet.
  bool resume_one();

  /// Lets an idle one do `now`, which it moves from, in place of the calling greenlet. Returns when that is done, or waits.
  /// False: there is none, and `now` has not been called.
  /// Affinity: another greenlet than the hub's, that of `by`.
  template <class Now>
  bool run_in_place(lender& by, Now& now) {
    fiber* const next = take_idle();
    if (next == nullptr) return false;
    // By the time that it has waited, the frame that called this may be gone.
    next->now = [](void* what, place& in) {
      Now mine = std::move(*static_cast<Now*>(what));
      mine(in);
    };
    next->argument = &now;
    next->lent_by = &by;
    next->self->resume();
    return true;
  }

  /// Whether the last try found no stack, and no fiber has become idle since.
  [[nodiscard]] bool starved() const noexcept { return starved_; }

  /// Ends those idle ones that are not kept, some at a time: their stacks go back to the pool.
  void shrink();

  /// Unwinds all, in whatever they wait. What they have to clean up may wait as well, for `cleaning_up_max` in all.
  void unwind() noexcept;

  [[nodiscard]] std::size_t idle() const noexcept { return idle_.size(); }

  /// See runtime::check_invariants(). Calls `seen` with each greenlet that is in a turn, which waits.
  template <class Seen>
  void check_invariants(Seen seen) const {
    check_idle();
    for (const auto& f : all_) {
      if (std::ranges::find(idle_, f.get()) == idle_.end()) seen(std::as_const(*f->self));
    }
  }

 private:
  struct fiber {
    greenlet_ptr self;
    void (*now)(void* what, place& in) = nullptr;  ///< What it does in place of its work, once.
    void* argument = nullptr;
    lender* lent_by = nullptr;
    std::size_t index = 0;  ///< In `all_`.
    bool retiring = false;
  };
  void check_idle() const;
  void run(fiber& self);
  void work_once(fiber& self, place& here);
  /// One with nothing to do; null when every stack is in use.
  [[nodiscard]] fiber* take_idle();
  /// Those that are in a turn, which waits.
  [[nodiscard]] std::size_t busy() const noexcept;
  /// Throws turns out of their waits and runs the hub while these clean up; a drop would leave them no time.
  void end_waits();

  hub& hub_;
  step work_;
  std::exception_ptr (*expired_)();
  std::vector<std::unique_ptr<fiber>> all_;
  std::vector<fiber*> idle_;  // The one that worked last is at the end, and is resumed first.
  bool starved_ = false;
};

}  // namespace grove
