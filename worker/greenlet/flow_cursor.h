// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "worker/greenlet/greenlet.h"

namespace grove {

/// Goes through the flows that a greenlet is in: from the one that it runs, through the bodies of continulets that wait
/// for that one to come back, to the one that it began with.
/// Affinity: the greenlet's thread.
/// Lifetime: the greenlet must not switch between flows meanwhile.
class flow_cursor {
 public:
  explicit flow_cursor(greenlet& of) noexcept
      : of_(of),
        flow_(of.context_.flow),
        exceptions_(of.is_current() ? greenlets::detail::this_thread->exceptions : &of.context_.exceptions) {}

  /// False past the last one.
  [[nodiscard]] explicit operator bool() const noexcept { return exceptions_ != nullptr; }
  [[nodiscard]] flow_slots& slots() const noexcept {
    return flow_ == nullptr ? of_.slots().first_flow : slots_of_continulet();
  }
  /// Exceptions that unwind its stack now: its own std::uncaught_exceptions().
  [[nodiscard]] unsigned uncaught() const noexcept { return exceptions_->uncaught; }
  void go_outward() noexcept {
    if (flow_ == nullptr)
      exceptions_ = nullptr;
    else
      leave_continulet();
  }

 private:
  [[nodiscard]] flow_slots& slots_of_continulet() const noexcept;
  void leave_continulet() noexcept;

  greenlet& of_;
  continulet* flow_;
  const exception_state* exceptions_;
};

}  // namespace grove
