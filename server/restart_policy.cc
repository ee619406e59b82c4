// SPDX-License-Identifier: Apache-2.0
#include "server/restart_policy.h"

#include <algorithm>

namespace grove::server {

restart_decision restart_policy::after_exit(steady_time now, const process_life& life) {
  if (life.served && life.served_for >= healthy_after) step_ = 0;

  restart_decision decision;
  if (step_ > 0) {
    // Six doublings of 100 ms are past the longest delay; more would only overflow.
    const auto doubled = first_delay * (1U << std::min(step_ - 1, 6U));
    const auto delay = std::min<std::chrono::milliseconds>(doubled, longest_delay);
    const auto fifth = static_cast<std::uint32_t>(delay.count() / 5);
    decision.delay = delay + std::chrono::milliseconds{random_->below(fifth + 1)};
  }
  ++step_;

  if (!life.served) failed_starts_.push_back(now);
  while (!failed_starts_.empty() && now - failed_starts_.front() > limits_.window)
    failed_starts_.pop_front();
  decision.failed_starts = static_cast<std::uint32_t>(failed_starts_.size());
  decision.crash_loop = !life.served && decision.failed_starts > limits_.max_restarts;
  return decision;
}

}  // namespace grove::server
