// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <utility>

#include "worker/hub/hub.h"

namespace grove {

/// A hub's address for other threads, which may find that nobody lives there any more.
/// Affinity: any thread.
class hub_link {
 public:
  explicit hub_link(hub& on) noexcept : hub_(&on) {}
  hub_link(const hub_link&) = delete;
  hub_link& operator=(const hub_link&) = delete;

  [[nodiscard]] static std::shared_ptr<hub_link> of(hub& on);

  /// hub::post_from_thread(), or nothing once the hub has gone: then the callable is destroyed here.
  void post(unique_function<void()> call) {
    const std::lock_guard lock(mutex_);
    if (hub_ != nullptr) hub_->post_from_thread(std::move(call));
  }
  /// The hub, if it lives and is the calling thread's, else null.
  [[nodiscard]] hub* here() noexcept {
    const std::lock_guard lock(mutex_);
    return hub_ != nullptr && hub_ == hub::current_or_null() ? hub_ : nullptr;
  }
  [[nodiscard]] bool gone() noexcept {
    const std::lock_guard lock(mutex_);
    return hub_ == nullptr;
  }

 private:
  class owner;
  std::mutex mutex_;
  hub* hub_;
};

}  // namespace grove
