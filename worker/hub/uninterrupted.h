// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/check.h"
#include "worker/greenlet/greenlet.h"

namespace grove {

/// While it exists, nothing that comes from outside of it is thrown into the waits of the code that made it: no kill, no
/// cancellation, no time-out and no deadline that began before. They are kept for the first wait after it. Time limits
/// of the waits themselves and time-outs that are made inside go on as always. Boost.Thread's disable_interruption.
///
/// For clean-up that waits:
///
///   ~session() {
///     const uninterrupted whole;
///     (void)with_timeout(1s, [this] { (void)flush(); });  // give the clean-up a limit of its own
///   }
///
/// It is in force by itself in destructors that run while the stack unwinds. Nor is anything thrown that would end the
/// process, because it would leave a destructor or another function that is noexcept: where the compiler is GCC this is
/// seen before the throw, and the delivery is kept. Under Clang a destructor that waits at the normal end of its scope
/// needs this class, and everywhere it says what is meant.
/// Affinity: the flow that makes it, where it must end as well.
class uninterrupted {
 public:
  uninterrupted() noexcept : flow_(greenlet::current().running_flow()) { ++flow_.uninterrupted; }
  ~uninterrupted() {
    GROVE_DEBUG_CHECK(flow_.uninterrupted > 0, "an uninterrupted scope ends in a flow that has none");
    --flow_.uninterrupted;
  }
  uninterrupted(const uninterrupted&) = delete;
  uninterrupted& operator=(const uninterrupted&) = delete;

  /// Whether waits of the calling greenlet are shielded now, by such a scope or because its stack unwinds.
  [[nodiscard]] static bool in_force() noexcept { return in_force(greenlet::current()); }
  [[nodiscard]] static bool in_force(greenlet& in) noexcept;

 private:
  flow_slots& flow_;
};

}  // namespace grove
