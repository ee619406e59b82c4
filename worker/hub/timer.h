// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/check.h"
#include "base/clock.h"

namespace grove {

class hub;
class timer_heap;

/// A one-shot timer that is part of the object that it belongs to. Derive and override expired(), or use
/// callback_timer.
/// Affinity: hub thread.
/// Lifetime: the destructor disarms; an armed timer must not outlive its hub.
class hub_timer {
 public:
  hub_timer() noexcept = default;
  hub_timer(const hub_timer&) = delete;
  hub_timer& operator=(const hub_timer&) = delete;

  /// Arms it, or moves it if it is armed. Timers expire in the order of their times, those of equal time in the order of
  /// arming. A time before the present pass of the loop counts as the time of the pass, and a timer that is armed while
  /// timers expire does so in a coming pass at the earliest: one that arms itself again and again holds up no other.
  /// The greatest time point is never: the timer is left disarmed, and keeps no loop alive.
  void arm(hub& on, steady_time when);
  void arm_after(hub& on, time_span delay);
  /// Idempotent.
  void disarm() noexcept;
  [[nodiscard]] bool armed() const noexcept { return heap_ != nullptr; }
  /// A background timer does not keep hub::join() waiting (gevent's ref=False). To be set while it is not armed.
  void set_background(bool background) noexcept {
    GROVE_CHECK(!armed(), "a timer becomes one of the background while it is armed");
    background_ = background;
  }
  /// Nothing if it is not armed.
  [[nodiscard]] std::optional<steady_time> expires_at() const noexcept;

 protected:
  virtual ~hub_timer() { disarm(); }
  /// Runs in the hub's context, disarmed: it may arm itself again, may destroy itself, must not wait. What it throws
  /// goes to the hub's error handler.
  virtual void expired() = 0;

 private:
  friend class timer_heap;
  friend class hub;
  timer_heap* heap_ = nullptr;
  std::size_t at_ = 0;
  bool background_ = false;
};

/// A heap of timers with four children a node: times are kept in the heap's own array, so that a sift touches no
/// timer but those it moves. Arming and disarming are O(log n); nothing is allocated but the array's growth.
class timer_heap {
 public:
  timer_heap() = default;
  ~timer_heap();
  timer_heap(const timer_heap&) = delete;
  timer_heap& operator=(const timer_heap&) = delete;

  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  /// Without the background ones.
  [[nodiscard]] std::size_t foreground() const noexcept { return entries_.size() - background_; }
  /// The earliest time; the heap must not be empty.
  [[nodiscard]] steady_time next() const noexcept {
    GROVE_DEBUG_CHECK(!empty(), "the earliest time is asked for of no timers");
    return entries_.front().when;
  }

  void arm(hub_timer& timer, steady_time when);
  void disarm(hub_timer& timer) noexcept;
  [[nodiscard]] steady_time when(const hub_timer& timer) const noexcept { return entries_[timer.at_].when; }
  /// How many times a timer has been armed.
  [[nodiscard]] std::uint64_t armed_ever() const noexcept { return armed_ever_; }
  /// Disarms and returns the earliest timer if it is due at `now`, and was one of the first `armed_before` to be armed;
  /// else null.
  hub_timer* pop_due(steady_time now, std::uint64_t armed_before) noexcept;
  /// See hub::check_invariants().
  void check_invariants() const;

 private:
  struct entry {
    steady_time when;
    std::uint64_t order;
    hub_timer* timer;
    [[nodiscard]] bool before(const entry& other) const noexcept {
      return when < other.when || (when == other.when && order < other.order);
    }
  };

  void place(std::size_t at, const entry& moved) noexcept;
  void sift_up(std::size_t at, entry moved) noexcept;
  void sift_down(std::size_t at, entry moved) noexcept;
  void remove(std::size_t at) noexcept;

  std::vector<entry> entries_;
  std::uint64_t armed_ever_ = 0;
  std::size_t background_ = 0;
};

}  // namespace grove
