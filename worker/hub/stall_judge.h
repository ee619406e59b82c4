// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/clock.h"

namespace grove {

/// Judges from looks at a hub, made every now and then, whether it stands still. It does so from the first look that
/// finds it awake and as it was `stall_after` before.
class stall_judge {
 public:
  /// A stall that lasts goes on every `repeat_every`.
  enum class verdict : std::uint8_t { nothing, began, lasts, goes_on, ended };

  stall_judge(steady_duration stall_after, steady_duration repeat_every) noexcept
      : stall_after_(stall_after), repeat_every_(repeat_every) {}

  /// One look: the hub has made so many passes, and waits for events or does not.
  verdict look(steady_time now, std::uint64_t passes, bool asleep) noexcept {
    // If the looker itself was held up, the hub may have been, too (a stopped process, a busy machine): such a gap
    // does not count in full.
    stood_still_ += std::min(now - looked_at_, stall_after_ * 3 / 4);
    looked_at_ = now;
    if (passes == passes_ && !asleep) return stands_still(now);
    const bool was_stalled = stalled_;
    if (was_stalled) lasted_ = now - since_;
    passes_ = passes;
    since_ = now;
    stood_still_ = {};
    stalled_ = false;
    return was_stalled ? verdict::ended : verdict::nothing;
  }

  /// How long the stall that was last judged has lasted.
  [[nodiscard]] steady_duration lasted() const noexcept { return lasted_; }

 private:
  verdict stands_still(steady_time now) noexcept {
    if (stood_still_ < stall_after_) return verdict::nothing;
    lasted_ = now - since_;
    if (stalled_ && now - told_at_ < repeat_every_) return verdict::lasts;
    told_at_ = now;
    return std::exchange(stalled_, true) ? verdict::goes_on : verdict::began;
  }

  steady_duration stall_after_;
  steady_duration repeat_every_;
  steady_time looked_at_{};
  std::uint64_t passes_ = ~std::uint64_t{0};
  steady_time since_{};
  steady_duration stood_still_{};
  bool stalled_ = false;
  steady_time told_at_{};
  steady_duration lasted_{};
};

}  // namespace grove
