// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <utility>

#include "worker/greenlet/off_stack.h"
#include "worker/hub/hub.h"

namespace grove {

/// A limit on the waits of the code that makes it, for as long as it exists: a wait that lasts beyond `when` throws what
/// the bound makes. Bounds nest; the earliest one fires. It costs a few stores until its greenlet really waits: only then
/// a timer is armed. A bound that becomes due while something else is being delivered, or outside a wait, fires at the
/// next wait: an outer one is never lost behind an inner one.
/// One that is made in the function of a generator limits what this function waits for, in whatever greenlet it goes on,
/// and nothing while it is suspended at a value.
/// Affinity: the flow that makes it, where it must end as well.
class wait_bound {
 public:
  /// The greatest time point is no limit.
  wait_bound(hub& on, std::optional<steady_time> when);
  virtual ~wait_bound();
  wait_bound(const wait_bound&) = delete;
  wait_bound& operator=(const wait_bound&) = delete;

  /// From now on nothing fires; a delivery of this bound that has not been thrown is taken back. Idempotent.
  void cancel() noexcept { move_to(std::nullopt); }
  /// Changes the time and takes back a delivery that has not been thrown. A few stores if there has been no wait.
  void move_to(std::optional<steady_time> when) noexcept {
    if (record_->dropped) [[unlikely]]
      return;
    if (record_->armed()) record_->disarm();
    if (record_->fired != delivery::none) [[unlikely]]
      record_->take_back();
    record_->when = limit_of(when);
  }
  [[nodiscard]] std::optional<steady_time> when() const noexcept { return record_->when; }
  /// Whether all bounds that were made in its flow after it are gone.
  [[nodiscard]] bool innermost() const noexcept { return record_->inner == nullptr; }
  /// Takes the limits that are left of those that were made in its flow after it out of force, for ever: whoever has kept
  /// them can destroy them, and nothing else happens then. False if there were none.
  bool drop_inner() noexcept;
  /// True from the delivery on.
  [[nodiscard]] bool fired() const noexcept { return record_->fired != delivery::none; }
  [[nodiscard]] hub& on() const noexcept { return record_->on; }

  /// The earliest bound of all that are in force in `limited`, if any.
  [[nodiscard]] static std::optional<steady_time> earliest(greenlet& limited) noexcept;

 protected:
  /// What the wait throws. Called in the greenlet that waits.
  [[nodiscard]] virtual std::exception_ptr make_exception() = 0;

 private:
  friend class hub;
  friend class waiter;
  /// Pending: at the next wait, or at the present one, which is about to end.
  enum class delivery : std::uint8_t { none, pending, thrown };
  // What the hub looks at while the greenlet waits.
  struct record final : hub_timer {
    record(hub& in, wait_bound& of, std::optional<steady_time> at);
    void expired() override;
    void take_back() noexcept;
    [[nodiscard]] std::exception_ptr make() noexcept;
    /// Makes what is thrown in `into`, unless it would end the process there.
    [[nodiscard]] bool can_be_thrown(greenlet& into);

    hub& on;
    wait_bound& bound;
    greenlet* limited;  // whose waits it limits; null while that may be another one, or none
    flow_slots& flow;
    record* outer;
    record* inner = nullptr;
    std::optional<steady_time> when;
    unsigned shields;  // that were in force in the flow when it was made, see uninterrupted
    delivery fired = delivery::none;
    bool dropped = false;       // by drop_inner(): in no list, and its flow may be gone
    bool is_tried = false;      // in the present search for what is due
    std::exception_ptr thrown;  // made when it was tried
  };
  static record* innermost(const flow_slots& of) noexcept { return static_cast<record*>(of.bounds); }
  [[nodiscard]] static std::optional<steady_time> limit_of(std::optional<steady_time> when) noexcept {
    return when == steady_time::max() ? std::nullopt : when;
  }
  /// Calls visit(record) for the bounds whose deliveries reach a wait of `of`, inner ones first. True if those from
  /// outside, as a kill, reach it as well.
  template <typename Visit>
  static bool for_each_in_force(greenlet& of, Visit&& visit);

  /// Called at the begin of a wait: arms what is not armed, makes pending what is due. True if something is pending.
  /// `is_interrupted`: something from outside will end the wait.
  static bool enter_wait(greenlet& waiting, bool is_interrupted);
  /// Makes pending what is due at `now`. False if nothing is, or something else comes first.
  static bool fire_due(greenlet& waiting, steady_time now, bool is_interrupted);
  /// Called around a wait inside a continulet, whose flow may go on in another greenlet afterwards.
  static void arm_in_continulets(greenlet& waiting);
  static void disarm_in_continulets(greenlet& waiting) noexcept;
  [[nodiscard]] static record* pending_in(greenlet& of) noexcept;
  /// What the pending bound throws, null if there is none.
  [[nodiscard]] static std::exception_ptr take_pending(greenlet& waiting) noexcept;

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
