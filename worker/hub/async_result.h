// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <optional>
#include <utility>

#include "worker/hub/event.h"

namespace grove {

/// A value or an exception that one side sets and any number of greenlets wait for. The last set wins for those that
/// have not looked yet.
/// Affinity: hub thread; set() also in the hub's context.
template <typename T>
class async_result {
 public:
  explicit async_result(hub& on) noexcept : done_(on) {}

  void set(T result) {
    error_ = nullptr;
    result_.emplace(std::move(result));
    done_.set();
  }
  void set_exception(std::exception_ptr error) {
    result_.reset();
    error_ = std::move(error);
    done_.set();
  }
  [[nodiscard]] bool ready() const noexcept { return done_.is_set(); }
  [[nodiscard]] bool successful() const noexcept { return result_.has_value(); }

  /// Waits and returns the value; throws the exception that was set.
  T& get() {
    done_.wait();
    return looked_at();
  }
  /// Null at `until`.
  [[nodiscard]] T* get_until(steady_time until) { return done_.wait_until(until) ? &looked_at() : nullptr; }
  /// Waits; the value, or null if an exception was set.
  [[nodiscard]] T* wait() {
    done_.wait();
    return result_ ? &*result_ : nullptr;
  }

 private:
  T& looked_at() {
    if (error_) std::rethrow_exception(error_);
    return *result_;
  }

  event done_;
  std::optional<T> result_;
  std::exception_ptr error_;
};

}  // namespace grove
