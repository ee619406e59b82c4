// SPDX-License-Identifier: Apache-2.0
#include "worker/main/line_limit.h"

#include <utility>

namespace grove {

bool line_limit::admits(steady_time now) noexcept {
  if (now - window_began_ >= window_) {
    window_began_ = now;
    lines_ = 0;
  }
  if (++lines_ <= lines_max_) return true;
  ++kept_quiet_;
  return false;
}

std::string line_limit::take_kept_quiet() {
  if (kept_quiet_ == 0) return {};
  return "; " + std::to_string(std::exchange(kept_quiet_, 0)) + " more since the last line";
}

}  // namespace grove
