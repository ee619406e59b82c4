// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace grove::server {

/// How long a worker may stand still, and how long it may then take to say where.
struct hang_limits {
  std::chrono::milliseconds timeout{2'000};  ///< 0: a worker may hang for ever.
  std::chrono::milliseconds kill_after_abort{500};
};

/// Judges from the heartbeat counter of one worker process whether it still turns: unchanged for the timeout it is
/// to be aborted, so that it dumps what it was doing, and killed if that has not ended it a little later.
class heartbeat_watch {
 public:
  enum class order : std::uint8_t { none, abort, kill };

  explicit heartbeat_watch(const hang_limits& limits) noexcept : limits_{limits} {}

  /// A new process, or one that has just become ready: it has the whole timeout from now.
  void reset(steady_time now, std::uint64_t beat) noexcept;

  /// One look at the counter; orders each thing once.
  [[nodiscard]] order observe(steady_time now, std::uint64_t beat) noexcept;

  /// Starts the kill's delay without a hang, for a process that is aborted for another reason.
  void aborted(steady_time now) noexcept { aborted_at_ = now; }

  /// The observer itself had not run for a while (a paused machine): what it has not seen proves nothing.
  void forgive(steady_time now) noexcept { changed_at_ = now; }

  /// How long the counter has stood still.
  [[nodiscard]] steady_duration still_for(steady_time now) const noexcept { return now - changed_at_; }

 private:
  hang_limits limits_;
  std::uint64_t beat_ = 0;
  steady_time changed_at_{};
  std::optional<steady_time> aborted_at_;
  bool killed_ = false;
};

}  // namespace grove::server
