// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>

#include "worker/hub/waiter.h"

namespace grove {

/// A counter to wait for. A release with waiters hands the permit to the first of them: nobody, the releaser
/// included, can take it in between.
/// Affinity: hub thread; release() and try_acquire() also in the hub's context.
class semaphore {
 public:
  semaphore(hub& on, std::size_t permits) noexcept : hub_(on), permits_(permits) {}

  /// Cancel: no permit is taken and none is lost.
  void acquire();
  [[nodiscard]] bool acquire_until(steady_time until);
  [[nodiscard]] bool try_acquire() noexcept {
    if (permits_ == 0) return false;
    --permits_;
    return true;
  }
  void release() noexcept;
  [[nodiscard]] std::size_t permits() const noexcept { return permits_; }
  [[nodiscard]] bool has_waiters() const noexcept { return !waiters_.empty(); }

 private:
  bool wait(std::optional<steady_time> until);

  hub& hub_;
  std::size_t permits_;
  waiter_list waiters_;
};

}  // namespace grove
