// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "worker/hub/hub.h"

namespace grove {

class waiter_list;

/// The waiting primitive: an object on the stack of a greenlet that waits for one thing (in an off_stack, if the greenlet
/// may be sliced). Everything that blocks is made of it. It may be used again after a wait has returned.
/// Affinity: hub thread; wait() in the greenlet that made it, wake() anywhere on the thread.
class waiter : private ready_item, private hub_timer {
 public:
  explicit waiter(hub& on) noexcept : hub_(on) {}
  /// Leaves the list it is in.
  ~waiter() override;

  /// Suspends the calling greenlet until wake(). Returns at once if wake() came first. Consumes the wake.
  /// Switches: to the hub, or to the next one in line.
  /// Errors: blocking_in_hub in the hub's context; greenlet_error if the greenlet is resumed by other means.
  /// Cancel: throws what hub::interrupt(), a timeout or another bound delivers; a wait that was woken first
  /// completes, and the delivery is kept for the next wait. Inside `uninterrupted` nothing from outside of it is thrown.
  void wait();
  /// wait() that ends at `when`: false, nothing consumed.
  [[nodiscard]] bool wait_until(steady_time when);
  /// wait() that no interrupt ends: deliveries are kept. For completions whose buffers are borrowed.
  void wait_uninterrupted();

  /// Idempotent; may come before the wait. The greenlet runs from the ready queue.
  void wake() noexcept;

  [[nodiscard]] bool woken() const noexcept { return woken_; }
  /// It will run: woken, interrupted, or its time is over.
  [[nodiscard]] bool scheduled() const noexcept { return state_ == state::scheduled; }
  /// In a list: behind others, for a lock, a queue, an event.
  [[nodiscard]] bool in_list() const noexcept { return list_ != nullptr; }
  /// When the wait ends at the latest.
  [[nodiscard]] std::optional<steady_time> ends_at() const noexcept { return expires_at(); }
  [[nodiscard]] bool waiting() const noexcept { return state_ != state::idle; }
  [[nodiscard]] hub& on() const noexcept { return hub_; }
  /// The greenlet that waits, else null.
  [[nodiscard]] greenlet* waiting_greenlet() const noexcept { return waits_; }

  enum class outcome : std::uint8_t { woken, timed_out, interrupted };
  /// The wait without the throw: after `interrupted`, the delivery is still pending (see take_interrupt()).
  [[nodiscard]] outcome park(std::optional<steady_time> until = std::nullopt);
  /// Takes the delivery that is pending for the calling greenlet; null if there is none.
  [[nodiscard]] static std::exception_ptr take_interrupt() noexcept;

 protected:
  /// Makes it a link: it never waits, and a wake calls notified() instead, at once, in whatever context wakes.
  void become_link() noexcept { state_ = state::link; }
  virtual void notified() noexcept {}

 private:
  friend class hub;
  friend class wait_bound;
  friend class hub_task;
  friend class waiter_list;
  friend class place_in_line;
  friend void yield(hub_priority priority);
  enum class state : std::uint8_t { idle, parked, scheduled, link };

  void expired() override;
  void interrupted() noexcept;
  /// interrupted(), unless the greenlet is shielded, or the throw would end the process.
  void interrupt_from_outside(const std::exception_ptr& thrown);
  [[nodiscard]] bool can_be_interrupted() const noexcept { return state_ == state::parked && interruptible_; }
  void schedule() noexcept;
  outcome suspend(bool interruptible, std::optional<steady_time> until);
  outcome park_until(greenlet& self, std::optional<steady_time> until);
  /// An interrupt has ended the wait: it will be thrown, whatever happens before the greenlet runs.
  [[nodiscard]] bool delivering() const noexcept {
    return state_ == state::scheduled && outcome_ == outcome::interrupted;
  }
  void leave_list() noexcept;
  static bool deliverable(greenlet& self) {
    const greenlet_slots& slots = self.slots();
    return (slots.pending != nullptr || may_be_limited(self) || slots.kill_deferred) && find_deliverable(self);
  }
  static bool may_be_limited(const greenlet& self) noexcept {
    return self.slots().first_flow.bounds != nullptr || self.in_continulet();
  }
  static bool find_deliverable(greenlet& self);
  static void throw_deliverable(greenlet& self) {
    if (deliverable(self)) [[unlikely]]
      std::rethrow_exception(take_interrupt());
  }
  static void check_may_wait(const hub& in, const greenlet& self) {
    if (&self == &in.hub_greenlet() || self.unwinding()) [[unlikely]]
      throw_may_not_wait(self);
  }
  [[noreturn]] static void throw_may_not_wait(const greenlet& self);
  [[noreturn]] static void throw_resumed_by_another();
  void switch_out(greenlet& self);
  void leave() noexcept;

  hub& hub_;
  state state_ = state::idle;
  bool woken_ = false;
  bool interruptible_ = true;
  outcome outcome_ = outcome::woken;
  waiter_list* list_ = nullptr;
  waiter* next_ = nullptr;
  waiter* previous_ = nullptr;
};

/// Waiters in the order of arrival. Those in a list that is destroyed wait on: only an interrupt or their time ends
/// it. A waiter is in at most one list, leaves it by itself when it is destroyed, and is taken out when it is woken
/// through the list.
class waiter_list {
 public:
  waiter_list() noexcept = default;
  waiter_list(const waiter_list&) = delete;
  waiter_list& operator=(const waiter_list&) = delete;
  ~waiter_list();

  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
  [[nodiscard]] waiter* front() const noexcept { return first_; }
  void push(waiter& w) noexcept;
  void remove(waiter& w) noexcept;
  waiter* pop() noexcept;
  /// Wakes all that are in the list now.
  void wake_all() noexcept;

 private:
  waiter* first_ = nullptr;
  waiter* last_ = nullptr;
};

}  // namespace grove
