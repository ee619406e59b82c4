// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <optional>

#include "worker/greenlet/off_stack.h"
#include "worker/hub/hub.h"

namespace grove {

/// A limit on the waits of the greenlet that makes it, for as long as it exists: a wait that lasts beyond `when`
/// throws what the bound makes. Bounds nest; the earliest one fires. It costs a few stores until the greenlet really
/// waits: only then a timer is armed. A bound that becomes due while something else is being delivered, or outside a
/// wait, fires at the next wait: an outer one is never lost behind an inner one.
/// Affinity: one greenlet, constructed and destroyed as a stack (last made, first gone).
class wait_bound {
 public:
  wait_bound(hub& on, std::optional<steady_time> when);
  virtual ~wait_bound();
  wait_bound(const wait_bound&) = delete;
  wait_bound& operator=(const wait_bound&) = delete;

  /// From now on nothing fires; a delivery of this bound that has not been thrown is taken back. Idempotent.
  void cancel() noexcept { move_to(std::nullopt); }
  /// Changes the time and takes back a delivery that has not been thrown. A few stores if there has been no wait.
  void move_to(std::optional<steady_time> when) noexcept {
    if (record_->armed()) record_->disarm();
    if (record_->limited.slots().pending != nullptr) [[unlikely]]
      record_->on.cancel_interrupt(record_->limited, &*record_);
    record_->when = when;
    record_->fired = false;
  }
  [[nodiscard]] std::optional<steady_time> when() const noexcept { return record_->when; }
  /// Whether all bounds that were made in its greenlet after it are gone.
  [[nodiscard]] bool innermost() const noexcept { return innermost(record_->limited) == &*record_; }
  /// True from the delivery on.
  [[nodiscard]] bool fired() const noexcept { return record_->fired; }
  [[nodiscard]] hub& on() const noexcept { return record_->on; }

  /// The earliest bound of all that are in force in `limited`, if any.
  [[nodiscard]] static std::optional<steady_time> earliest(const greenlet& limited) noexcept;

 protected:
  /// What the wait throws.
  [[nodiscard]] virtual std::exception_ptr make_exception() = 0;

 private:
  friend class waiter;
  // What the hub looks at while the greenlet waits.
  struct record final : hub_timer {
    record(hub& in, wait_bound& of, std::optional<steady_time> at);
    void expired() override;
    void fire();

    hub& on;
    wait_bound& bound;
    greenlet& limited;
    record* outer;
    std::optional<steady_time> when;
    bool fired = false;
    std::exception_ptr thrown;  // made before the wait if `bound` can't be asked during it
  };
  static record* innermost(const greenlet& of) noexcept { return static_cast<record*>(of.slots().bounds); }
  /// Called at the begin of a wait: arms what is not armed, delivers what is due.
  static void enter_wait(greenlet& waiting);

  off_stack<record> record_;
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
