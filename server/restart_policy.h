// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>

#include "base/clock.h"
#include "base/random.h"

namespace grove::server {

/// The intensity limit, in the words of OTP's supervisor: more than `max_restarts` failed starts of one slot within
/// `window` are a crash loop. The delays are those of `restart_policy`.
struct restart_limits {
  std::uint32_t max_restarts = 5;
  std::chrono::milliseconds window{60'000};
  std::chrono::milliseconds first_delay{100};
  std::chrono::milliseconds longest_delay{5'000};
  std::chrono::milliseconds healthy_after{60'000};
};

/// What a worker process had done when it died.
struct process_life {
  bool served = false;           ///< It had reported itself ready.
  steady_duration served_for{};  ///< From ready to death.
};

struct restart_decision {
  std::chrono::milliseconds delay{};  ///< How long to wait before the successor is started.
  std::uint32_t failed_starts = 0;    ///< Deaths before ready within the window, this one included.
  bool crash_loop = false;            ///< More of them than the limit allows.
};

/// When the process of one slot is started again: at once, then after the first delay, doubled each time up to the
/// longest; a process that served for `healthy_after` begins anew. Every delay is lengthened by up to a fifth, at random,
/// so that slots that died together do not start together for ever.
///
/// Only deaths before ready count against the limit: a worker that starts and is killed later, however often, is no
/// crash loop at start, and is held back by the delays alone.
class restart_policy {
 public:
  /// Lifetime: `random` outlives the policy.
  restart_policy(const restart_limits& limits, random_source& random) noexcept : limits_{limits}, random_{&random} {}

  /// Judges a death.
  [[nodiscard]] restart_decision after_exit(steady_time now, const process_life& life);

 private:
  restart_limits limits_;
  random_source* random_;
  std::chrono::milliseconds delay_{};  ///< The next one, without chance.
  std::deque<steady_time> failed_starts_;
};

}  // namespace grove::server
