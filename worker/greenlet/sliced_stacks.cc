// SPDX-License-Identifier: Apache-2.0
#include "worker/greenlet/internal/sliced_stacks.h"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

#include "base/check.h"
#include "worker/greenlet/internal/flow_switching.h"
#include "worker/greenlet/internal/thread_state.h"

namespace grove {
namespace greenlets::detail {

namespace {

// As many greenlets as there are regions can take turns without a copy.
constexpr std::size_t regions_max = 8;

void seal(stack_region& region, bool sealed) noexcept {
  if (region.sealed == sealed) return;
  region.sealed = sealed;
  const int access = sealed ? PROT_NONE : PROT_READ | PROT_WRITE;
  GROVE_CHECK(::mprotect(region.bytes.base(), region.bytes.bytes(), access) == 0, "mprotect of a shared stack");
}

}  // namespace

void stack_slice::freed::operator()(std::byte* room) const noexcept {
  std::free(room);
}

void stack_slice::save(const std::byte* from, std::size_t bytes) noexcept {
  // Room that is much too big is not kept: a greenlet costs what it has in use.
  if (bytes > capacity_ || bytes < capacity_ / 2) {
    room_.reset(static_cast<std::byte*>(std::malloc(bytes)));
    GROVE_CHECK(room_ != nullptr, "no memory for the stack of a suspended greenlet");
    capacity_ = static_cast<std::uint32_t>(bytes);
  }
  used_ = static_cast<std::uint32_t>(bytes);
  stack_bytes_leave(from, bytes);
  std::memcpy(room_.get(), from, bytes);
}

void stack_slice::restore() noexcept {
  std::byte* const to = region.bytes.top() - used_;
  GROVE_DEBUG_CHECK(region.bytes.holds(to), "more was kept of a stack than it has");
  stack_bytes_return(to, used_);
  std::memcpy(to, room_.get(), used_);
}

sliced_stacks::~sliced_stacks() {
  for (const auto& region : regions_)
    seal(*region, false);
  mover_.fiber.forget();
}

void sliced_stacks::set_checked(bool checked) noexcept {
  GROVE_CHECK(regions_.empty(), "sliced greenlets of this thread have begun to run");
  checked_ = checked;
}

std::unique_ptr<stack_slice> sliced_stacks::make_slice() {
  if (!mover_stack_) {
    std::optional<stack> taken = thread_.stacks.try_take();
    if (!taken) return nullptr;
    mover_stack_ = std::move(*taken);
    prepare(mover_, mover_stack_.base(), mover_stack_.top(), &sliced_stacks::move_for_ever);
  }
  if (regions_.size() < regions_max) {
    if (std::optional<stack> taken = thread_.stacks.try_take(stack_class::large)) {
      regions_.push_back(std::make_unique<stack_region>());
      regions_.back()->bytes = std::move(*taken);
    }
  }
  if (regions_.empty()) return nullptr;
  return std::make_unique<stack_slice>(*regions_[slices_made_++ % regions_.size()]);
}

execution_context& sliced_stacks::way_by_region_to(greenlet& next) noexcept {
  const bool leaves_unseen = checked_ && thread_.attention & attention_sliced;
  const bool is_away = next.state_ == greenlet::state::away;
  if (!is_away && !leaves_unseen) return next.context_;
  if (leaves_unseen || next.slice_->region.bytes.holds(__builtin_frame_address(0))) {
    moving_ = &next;
    return mover_;
  }
  bring_in(next);
  return next.context_;
}

void sliced_stacks::move_for_ever(void* left) {
  sliced_stacks& mine = enter_thread().sliced;
  arrive(mine.mover_, left);
  for (;;) {
    greenlet& next = *mine.moving_;
    if (mine.checked_) {
      for (const auto& region : mine.regions_)
        mine.evict(*region);
    }
    if (next.state_ == greenlet::state::away) mine.bring_in(next);
    exchange(mine.mover_, next.context_, *mine.thread_.exceptions);
  }
}

void sliced_stacks::bring_in(greenlet& next) noexcept {
  GROVE_CHECK(next.slice_ != nullptr, "a greenlet is brought in that has no part of a shared stack");
  GROVE_CHECK(next.state_ == greenlet::state::away, "a greenlet is brought in that is in already");
  stack_slice& slice = *next.slice_;
  stack_region& region = slice.region;
  evict(region);
  seal(region, false);
  region.occupant = &next;
  next.state_ = greenlet::state::live;
  if (slice.empty())
    prepare(next.context_, region.bytes.base(), region.bytes.top(), &switching::run);
  else
    slice.restore();
  if (checked_) thread_.attention |= attention_sliced;
}

void sliced_stacks::evict(stack_region& from) noexcept {
  greenlet* const gone = std::exchange(from.occupant, nullptr);
  if (gone != nullptr && gone->state_ == greenlet::state::live) {
    const auto* const low =
        static_cast<const std::byte*>(flow_switching::first_flow(*gone).suspended_at.stack_pointer) - jump_red_zone;
    GROVE_CHECK(from.bytes.holds(low), "a sliced greenlet is suspended on another stack than its own");
    gone->slice_->save(low, static_cast<std::size_t>(from.bytes.top() - low));
    gone->state_ = greenlet::state::away;
  }
  if (checked_) seal(from, true);
}

void sliced_stacks::forget(greenlet& gone) noexcept {
  if (gone.slice_ == nullptr) return;
  greenlet*& occupant = gone.slice_->region.occupant;
  if (occupant == &gone) occupant = nullptr;
  gone.slice_.reset();
}

}  // namespace greenlets::detail

void set_sliced_stack_checks(bool on) {
  greenlets::detail::enter_thread().sliced.set_checked(on);
}

}  // namespace grove
