// SPDX-License-Identifier: Apache-2.0
#include "worker/hub/timer.h"

#include <algorithm>

#include "base/check.h"
#include "worker/hub/hub.h"

namespace grove {

namespace {
constexpr std::size_t children = 4;
}

void hub_timer::arm(hub& on, steady_time when) {
  GROVE_DEBUG_CHECK(on.is_on_thread(), "a timer is armed from another thread than its hub's");
  disarm();
  if (when == steady_time::max()) return;
  // What is late must not overtake what has been due for longer.
  on.timers_.arm(*this, std::max(when, on.pass_time_));
}

void hub_timer::arm_after(hub& on, time_span delay) {
  arm(on, time_after(on.now(), delay));
}

void hub_timer::disarm() noexcept {
  if (heap_ != nullptr) heap_->disarm(*this);
}

std::optional<steady_time> hub_timer::expires_at() const noexcept {
  return heap_ == nullptr ? std::nullopt : std::optional(heap_->when(*this));
}

timer_heap::~timer_heap() {
  for (const entry& left : entries_)
    left.timer->heap_ = nullptr;
}

void timer_heap::arm(hub_timer& timer, steady_time when) {
  GROVE_DEBUG_CHECK(timer.heap_ == nullptr, "a timer is armed twice");
  entries_.push_back({});
  timer.heap_ = this;
  if (timer.background_) ++background_;
  sift_up(entries_.size() - 1, {when, armed_ever_++, &timer});
}

void timer_heap::disarm(hub_timer& timer) noexcept {
  GROVE_DEBUG_CHECK(timer.heap_ == this && timer.at_ < entries_.size() && entries_[timer.at_].timer == &timer,
                    "a timer is disarmed where it is not armed");
  remove(timer.at_);
  timer.heap_ = nullptr;
  if (timer.background_) --background_;
}

hub_timer* timer_heap::pop_due(steady_time now, std::uint64_t armed_before) noexcept {
  if (entries_.empty() || entries_.front().when > now || entries_.front().order >= armed_before) return nullptr;
  hub_timer* due = entries_.front().timer;
  disarm(*due);
  return due;
}

void timer_heap::place(std::size_t at, const entry& moved) noexcept {
  entries_[at] = moved;
  moved.timer->at_ = at;
}

void timer_heap::sift_up(std::size_t at, entry moved) noexcept {
  while (at > 0) {
    const std::size_t parent = (at - 1) / children;
    if (!moved.before(entries_[parent])) break;
    place(at, entries_[parent]);
    at = parent;
  }
  place(at, moved);
}

void timer_heap::sift_down(std::size_t at, entry moved) noexcept {
  for (;;) {
    const std::size_t first = at * children + 1;
    if (first >= entries_.size()) break;
    const std::size_t end = std::min(first + children, entries_.size());
    std::size_t least = first;
    for (std::size_t i = first + 1; i < end; ++i) {
      if (entries_[i].before(entries_[least])) least = i;
    }
    if (!entries_[least].before(moved)) break;
    place(at, entries_[least]);
    at = least;
  }
  place(at, moved);
}

void timer_heap::remove(std::size_t at) noexcept {
  const entry last = entries_.back();
  entries_.pop_back();
  if (at == entries_.size()) return;
  if (at > 0 && last.before(entries_[(at - 1) / children]))
    sift_up(at, last);
  else
    sift_down(at, last);
}

}  // namespace grove
