// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "worker/hub/waiter.h"

namespace grove {

/// A flag to wait for. Greenlets that wait when it is set are woken even if it is cleared before they run.
/// Affinity: hub thread; set() and clear() also in the hub's context.
class event {
 public:
  explicit event(hub& on) noexcept : hub_(on) {}

  [[nodiscard]] bool is_set() const noexcept { return set_; }
  void set() noexcept {
    set_ = true;
    waiters_.wake_all();
  }
  void clear() noexcept { set_ = false; }

  /// Returns at once if it is set.
  void wait();
  /// False if it was not set until `until`.
  [[nodiscard]] bool wait_until(steady_time until);

  /// For wait_any() and its like.
  [[nodiscard]] bool ready() const noexcept { return set_; }
  void subscribe(waiter& link) noexcept { waiters_.push(link); }
  [[nodiscard]] hub& on() const noexcept { return hub_; }

 private:
  hub& hub_;
  bool set_ = false;
  waiter_list waiters_;
};

}  // namespace grove
