// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <optional>

#include "worker/hub/hub.h"

namespace grove {

/// A limit on the waits of the greenlet that makes it, for as long as it exists: a wait that lasts beyond `when`
/// throws what the bound makes. Bounds nest; the earliest one fires. It costs a few stores until the greenlet really
/// waits: only then a timer is armed. A bound that becomes due while something else is being delivered, or outside a
/// wait, fires at the next wait: an outer one is never lost behind an inner one.
/// Affinity: one greenlet, constructed and destroyed as a stack (last made, first gone).
class wait_bound : private hub_timer {
 public:
  wait_bound(hub& on, std::optional<steady_time> when);
  ~wait_bound() override;

  /// From now on nothing fires; a delivery of this bound that has not been thrown is taken back. Idempotent.
  void cancel() noexcept;
  /// Changes the time and takes back a delivery that has not been thrown.
  void move_to(std::optional<steady_time> when) noexcept;
  [[nodiscard]] std::optional<steady_time> when() const noexcept { return when_; }
  /// True from the delivery on.
  [[nodiscard]] bool fired() const noexcept { return fired_; }
  [[nodiscard]] hub& on() const noexcept { return hub_; }

  /// The earliest bound of all that are in force in `limited`, if any.
  [[nodiscard]] static std::optional<steady_time> earliest(const greenlet& limited) noexcept;

 protected:
  /// What the wait throws.
  [[nodiscard]] virtual std::exception_ptr make_exception() = 0;

 private:
  friend class waiter;
  void expired() override;
  void fire();
  /// Called at the begin of a wait: arms what is not armed, delivers what is due.
  static void enter_wait(greenlet& waiting);

  hub& hub_;
  greenlet* greenlet_;
  wait_bound* outer_;
  std::optional<steady_time> when_;
  bool fired_ = false;
};

/// A bound with a factory for what it throws: what the actor runtime gives to a turn.
template <typename Factory>
class deadline_bound final : public wait_bound {
 public:
  deadline_bound(hub& on, std::optional<steady_time> when, Factory factory)
      : wait_bound(on, when), factory_(std::move(factory)) {}

 private:
  [[nodiscard]] std::exception_ptr make_exception() override { return factory_(); }
  Factory factory_;
};

}  // namespace grove
