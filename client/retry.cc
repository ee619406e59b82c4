// SPDX-License-Identifier: Apache-2.0
#include "client/retry.h"

#include <algorithm>

namespace grove {

steady_duration jittered_pause(std::chrono::milliseconds first, std::chrono::milliseconds longest, unsigned failures,
                               random_source& random) noexcept {
  const unsigned doublings = std::min(failures == 0 ? 0U : failures - 1, 20U);
  const std::int64_t times = std::int64_t{1} << doublings;
  const steady_duration pause = time_span{first < longest / times ? first * times : longest};
  return std::chrono::duration_cast<steady_duration>(pause * (0.5 + random.unit() / 2));
}

void retry_policy::succeeded() noexcept {
  tokens_ = std::min(tokens_ + options_.token_ratio, options_.tokens_max);
}

std::optional<steady_duration> retry_policy::failed(status_code code, outcome result, unsigned attempts,
                                                    steady_time now, steady_time deadline,
                                                    random_source& random) noexcept {
  if (code != status_code::unavailable || result != outcome::not_executed) return std::nullopt;
  tokens_ = std::max(tokens_ - 1, 0.0);
  if (attempts >= options_.attempts_max || tokens_ <= options_.tokens_max / 2) return std::nullopt;
  const steady_duration pause = jittered_pause(options_.first_pause, options_.longest_pause, attempts, random);
  if (deadline - now <= pause) return std::nullopt;
  return pause;
}

}  // namespace grove
