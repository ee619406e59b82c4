// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <vector>

#include "worker/greenlet/greenlet.h"
#include "worker/hub/hub.h"
#include "worker/hub/wait_bound.h"

namespace grove {

/// The greenlets that turns run in. One that is waiting in a turn is not to be had; when all others are in use, another
/// one is made, as long as there are stacks.
/// Affinity: the hub's greenlet.
class runners {
 public:
  /// How many that have nothing to do are kept, with their stacks, for the next turns that wait.
  static constexpr std::size_t idle_kept_max = 256;
  static constexpr std::chrono::seconds cleaning_up_max{1};
  /// How many let_go() ends, about a microsecond each.
  static constexpr std::size_t let_go_max = 1000;

  /// A greenlet that works, and the bound of its waits that is set to the deadline of each turn: one that was made for
  /// each of them would cost more than turns that do not wait should pay.
  struct place {
    greenlet& fiber;
    wait_bound& within;
  };

  /// `work` is what a runner does each time that it is resumed; it is told where. What it throws is reported to the hub,
  /// and the runner goes on. `expired` makes what a wait throws that lasts beyond the bound.
  runners(hub& on, std::function<void(const place& in)> work, std::exception_ptr (*expired)());
  ~runners();
  runners(const runners&) = delete;
  runners& operator=(const runners&) = delete;

  /// Lets one work until it has done its work or waits. False: every stack is in use.
  bool resume_one();

  /// Whether the last try found no stack, and no runner has become idle since.
  [[nodiscard]] bool starved() const noexcept { return starved_; }

  /// Ends those idle ones that are not kept, some at a time: their stacks go back to the pool.
  void let_go();

  /// Unwinds all, in whatever they wait. What they have to clean up may wait as well, for `cleaning_up_max` in all.
  void unwind() noexcept;

  [[nodiscard]] std::size_t idle() const noexcept { return idle_.size(); }

 private:
  struct runner {
    greenlet_ptr fiber;
    std::size_t index = 0;  ///< In `all_`.
    bool leaves = false;
  };
  void run(runner& self);
  /// Those that are in a turn, which waits.
  [[nodiscard]] std::size_t busy() const noexcept;
  /// Throws turns out of their waits and runs the hub while these clean up; a drop would leave them no time.
  void end_waits();

  hub& hub_;
  std::function<void(const place&)> work_;
  std::exception_ptr (*expired_)();
  std::vector<std::unique_ptr<runner>> all_;
  std::vector<runner*> idle_;  // The one that worked last is at the end, and is resumed first.
  bool starved_ = false;
};

}  // namespace grove
