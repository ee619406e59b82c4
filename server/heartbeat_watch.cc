// SPDX-License-Identifier: Apache-2.0
#include "server/heartbeat_watch.h"

namespace grove::server {

void heartbeat_watch::reset(steady_time now, std::uint64_t beat) noexcept {
  beat_ = beat;
  changed_at_ = now;
  aborted_at_.reset();
  killed_ = false;
}

heartbeat_watch::order heartbeat_watch::observe(steady_time now, std::uint64_t beat) noexcept {
  if (aborted_at_) {
    if (killed_ || now - *aborted_at_ < limits_.kill_after_abort) return order::none;
    killed_ = true;
    return order::kill;
  }
  if (beat != beat_) {
    beat_ = beat;
    changed_at_ = now;
    return order::none;
  }
  if (limits_.timeout.count() == 0 || now - changed_at_ < limits_.timeout) return order::none;
  aborted_at_ = now;
  return order::abort;
}

}  // namespace grove::server
