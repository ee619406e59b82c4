// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "base/check.h"
#include "worker/tasks/event.h"
#include "worker/tasks/stored.h"

namespace grove {

/// What a cancelled async_result throws.
class result_cancelled : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A value (none, for void) or an exception that one side sets and any number of greenlets wait for. The last set wins
/// for those that have not looked yet. A task passes its end on with typed_task::link_to().
/// Affinity: hub thread; set(), set_exception() and cancel() also in the hub's context.
template <typename T>
class async_result {
  using stored = tasks::detail::stored<T>;

 public:
  explicit async_result(hub& on) noexcept : done_(on) {}

  void set(stored result) {
    error_ = nullptr;
    result_.emplace(std::move(result));
    done_.set();
  }
  void set() requires std::is_void_v<T> { set(stored()); }
  void set_exception(std::exception_ptr error) {
    result_.reset();
    error_ = std::move(error);
    done_.set();
  }
  /// Sets result_cancelled. False if there is a result already.
  bool cancel() {
    if (ready()) return false;
    set_exception(std::make_exception_ptr(result_cancelled("the result was cancelled")));
    return true;
  }
  /// set() and set_exception() for other threads: take effect in a coming pass of the hub.
  /// Affinity: any thread.
  /// Lifetime: the result, and its hub, must live until that pass.
  void set_from_thread(stored result) {
    done_.on().post_from_thread([this, result = std::move(result)]() mutable { set(std::move(result)); });
  }
  void set_from_thread() requires std::is_void_v<T> { set_from_thread(stored()); }
  void set_exception_from_thread(std::exception_ptr error) {
    done_.on().post_from_thread([this, error = std::move(error)] { set_exception(error); });
  }

  [[nodiscard]] bool ready() const noexcept { return done_.is_set(); }
  [[nodiscard]] bool successful() const noexcept { return result_.has_value(); }
  /// What was set, else null.
  [[nodiscard]] const std::exception_ptr& exception() const noexcept { return error_; }

  /// Waits and returns the value; throws the exception that was set.
  std::add_lvalue_reference_t<T> get() {
    done_.wait();
    return looked_at();
  }
  /// Null at `until`; one that has passed does not wait.
  [[nodiscard]] stored* get_until(steady_time until) {
    if (!done_.wait_until(until)) return nullptr;
    looked_at();
    return &*result_;
  }
  /// Waits, at most until `until`; the value, or null if an exception was set or the time is over.
  [[nodiscard]] stored* wait(std::optional<steady_time> until = std::nullopt) {
    if (!until)
      done_.wait();
    else if (!done_.wait_until(*until))
      return nullptr;
    return result_ ? &*result_ : nullptr;
  }

  /// For wait_any() and its like.
  void subscribe(waiter& link) noexcept { done_.subscribe(link); }

 private:
  std::add_lvalue_reference_t<T> looked_at() {
    if (error_) std::rethrow_exception(error_);
    GROVE_DEBUG_CHECK(result_.has_value(), "a result is there, and is neither a value nor an exception");
    if constexpr (!std::is_void_v<T>) return *result_;
  }

  event done_;
  std::optional<stored> result_;
  std::exception_ptr error_;
};

}  // namespace grove
