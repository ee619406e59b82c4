// SPDX-License-Identifier: Apache-2.0
#pragma once

// When a failed call is tried again: pure judgement, without time, sockets or threads of its own.
//
// - Only a call that certainly did not run (NOT_EXECUTED) and failed as UNAVAILABLE is repeated.
// - At most `attempts_max` attempts, and none whose pause would end after the deadline.
// - A token bucket after gRFC A6 stops retries when most calls fail, so that retries do not keep an overloaded server
//   down: each failure takes a token, each success gives `token_ratio` back, and at half of the tokens or less nothing
//   is repeated.
// - The pause doubles from `first_pause` to `longest_pause`, and is scaled by a random factor in [0.5, 1).

#include <chrono>
#include <optional>

#include "base/clock.h"
#include "base/random.h"
#include "base/status.h"

namespace grove {

struct retry_options {
  unsigned attempts_max = 3;
  std::chrono::milliseconds first_pause{20};
  std::chrono::milliseconds longest_pause{1'000};
  double tokens_max = 10;
  double token_ratio = 0.1;
};

/// The pause after the n-th failure in a row (from 1), doubled each time and jittered.
[[nodiscard]] steady_duration jittered_pause(std::chrono::milliseconds first, std::chrono::milliseconds longest,
                                             unsigned failures, random_source& random) noexcept;

class retry_policy {
 public:
  explicit retry_policy(const retry_options& options) noexcept : options_{options}, tokens_{options.tokens_max} {}

  /// Counts a call that was answered by its handler.
  void succeeded() noexcept;

  /// Judges a failure: the pause before the next attempt, or nothing when there is to be none. `attempts` have been
  /// made, this one included.
  [[nodiscard]] std::optional<steady_duration> failed(status_code code, outcome result, unsigned attempts,
                                                      steady_time now, steady_time deadline,
                                                      random_source& random) noexcept;

  [[nodiscard]] double tokens() const noexcept { return tokens_; }

 private:
  retry_options options_;
  double tokens_;
};

}  // namespace grove
