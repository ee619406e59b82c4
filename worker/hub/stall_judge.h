// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.h"

namespace grove {

/// Judges from looks at a hub, made every now and then, whether it stands still. It does so from the first look that
/// finds it awake and as it was `stall_after` before. Who is to blame: whatever holds the thread, once it has had it for
/// `stall_after`; until then the machine, which ran something else.
class stall_judge {
 public:
  /// A stall that lasts goes on every `repeat_every`. One for which the machine was to blame begins again when whatever
  /// holds the thread is.
  enum class verdict : std::uint8_t { nothing, began, lasts, goes_on, ended };

  stall_judge(steady_duration stall_after, steady_duration repeat_every) noexcept
      : stall_after_(stall_after), repeat_every_(repeat_every) {}

  /// One look: the hub has made so many passes, and waits for events or does not. Since the last look its thread was
  /// ready to run, and the machine ran something else, for `unscheduled`.
  verdict look(steady_time now, std::uint64_t passes, bool asleep, steady_duration unscheduled = {}) noexcept {
    // If the looker itself was held up, the hub may have been, too (a stopped process, a busy machine): such a gap
    // does not count in full.
    const steady_duration gap = now - looked_at_;
    const steady_duration counted_max = stall_after_ * 3 / 4;
    unscheduled = std::min(unscheduled, gap);
    looked_at_ = now;
    stood_still_ += std::min(gap, counted_max);
    held_ += std::min(gap - unscheduled, counted_max);
    waited_ += unscheduled;
    if (passes == passes_ && !asleep) return stands_still(now);
    const bool was_stalled = blames_ != blamed::nobody;
    if (was_stalled) keep(now, blames_ == blamed::holder);
    passes_ = passes;
    since_ = now;
    stood_still_ = held_ = waited_ = {};
    blames_ = blamed::nobody;
    return was_stalled ? verdict::ended : verdict::nothing;
  }

  /// How long the stall that was last judged has lasted, and for how much of that the machine gave no processor.
  [[nodiscard]] steady_duration lasted() const noexcept { return lasted_; }
  [[nodiscard]] steady_duration unscheduled() const noexcept { return unscheduled_; }
  /// Whether something has held the thread in it, or only the machine is to blame.
  [[nodiscard]] bool held() const noexcept { return was_held_; }

 private:
  enum class blamed : std::uint8_t { nobody, machine, holder };

  verdict stands_still(steady_time now) noexcept {
    if (stood_still_ < stall_after_) return verdict::nothing;
    const blamed blames = held_ >= stall_after_ ? blamed::holder : blamed::machine;
    keep(now, blames == blamed::holder);
    if (blames == blames_ && now - told_at_ < repeat_every_) return verdict::lasts;
    told_at_ = now;
    if (blames == blames_) return verdict::goes_on;
    blames_ = blames;
    return verdict::began;
  }

  void keep(steady_time now, bool held) noexcept {
    lasted_ = now - since_;
    unscheduled_ = waited_;
    was_held_ = held;
  }

  steady_duration stall_after_;
  steady_duration repeat_every_;
  steady_time looked_at_{};
  std::uint64_t passes_ = ~std::uint64_t{0};
  // Since the last look that found it moving.
  steady_time since_{};
  steady_duration stood_still_{};
  steady_duration held_{};    // of that, with a processor or blocked
  steady_duration waited_{};  // for a processor
  blamed blames_ = blamed::nobody;
  steady_time told_at_{};
  // Of the stall that was last judged.
  steady_duration lasted_{};
  steady_duration unscheduled_{};
  bool was_held_ = false;
};

}  // namespace grove
