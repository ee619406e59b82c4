// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace grove {

/// What is alive: to find leaks, as greenlet's own counters do.
struct greenlet_counts {
  std::size_t greenlets = 0;      ///< of the calling thread, its main greenlet and finished ones with handles included
  std::size_t stacks = 0;         ///< that they have
  std::size_t pending_drops = 0;  ///< by other threads, which this thread's next call will unwind
  std::size_t threads = 0;  ///< of the process, that have greenlets; also exited ones whose greenlets have handles
};

/// Affinity: any thread. It takes no pending drops.
[[nodiscard]] greenlet_counts count_greenlets() noexcept;

}  // namespace grove
