// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "base/clock.h"
#include "worker/greenlet/trace.h"

namespace grove {

class hub;

/// A block of code did not yield, or held the thread for too long.
class failed_to_switch : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// Finds out whether a block of code lets others run: gevent's assert_switches.
///
///   assert_switches watch(loop, 10ms);
///   handle(request);
///   watch.check();
///
/// It traces the switches of the thread while it exists (every switch takes the slow path then), so it is for tests
/// and for a search. Watches nest; those of other greenlets must not end in between.
/// Affinity: one greenlet.
class assert_switches {
 public:
  /// With `held_max`, no stretch between two switches may be longer.
  explicit assert_switches(hub& on, std::optional<time_span> held_max = std::nullopt);
  /// Judges nothing: an error that leaves the block is not to be hidden by another one.
  ~assert_switches();
  assert_switches(const assert_switches&) = delete;
  assert_switches& operator=(const assert_switches&) = delete;

  /// Ends the watch.
  /// Errors: failed_to_switch. The second call does nothing.
  void check();

 private:
  struct watch;
  void end() noexcept;
  std::shared_ptr<watch> watch_;
  trace_function previous_;
  bool ended_ = false;
};

/// Runs `body` under a watch; what it throws comes out, and else failed_to_switch.
template <typename F>
auto with_switches_asserted(hub& on, std::optional<time_span> held_max, F&& body) {
  assert_switches watch(on, held_max);
  if constexpr (std::is_void_v<std::invoke_result_t<F>>) {
    std::forward<F>(body)();
    watch.check();
  } else {
    auto result = std::forward<F>(body)();
    watch.check();
    return result;
  }
}

}  // namespace grove
