// SPDX-License-Identifier: Apache-2.0
#include "server/restart_policy.h"

#include <algorithm>

namespace grove::server {

restart_decision restart_policy::after_exit(steady_time now, const process_life& life) {
  if (life.served && life.served_for >= limits_.healthy_after) delay_ = {};

  restart_decision decision;
  const auto fifth = static_cast<std::uint32_t>(delay_.count() / 5);
  decision.delay = delay_ + std::chrono::milliseconds{random_->below(fifth + 1)};
  delay_ = delay_.count() == 0 ? limits_.first_delay : std::min(2 * delay_, limits_.longest_delay);

  if (!life.served) failed_starts_.push_back(now);
  while (!failed_starts_.empty() && now - failed_starts_.front() > limits_.window)
    failed_starts_.pop_front();
  decision.failed_starts = static_cast<std::uint32_t>(failed_starts_.size());
  decision.crash_loop = !life.served && decision.failed_starts > limits_.max_restarts;
  return decision;
}

}  // namespace grove::server
