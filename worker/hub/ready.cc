// SPDX-License-Identifier: Apache-2.0
#include "worker/hub/ready.h"

#include <algorithm>

namespace grove {

namespace {
constexpr std::size_t capacity_first = 64;
constexpr std::size_t capacity_kept = 4096;
}  // namespace

void ready_queue::grow() noexcept {
  const std::size_t wider = std::max(capacity_first, 2 * capacity_);
  auto ring = std::make_unique<ready_item*[]>(wider);
  for (std::uint64_t at = first_; at != end_; ++at)
    ring[at & (wider - 1)] = slot(at);
  ring_ = std::move(ring);
  capacity_ = wider;
}

void ready_queue::trim() noexcept {
  if (!empty() || capacity_ <= capacity_kept) return;
  ring_.reset();
  capacity_ = 0;
  first_ = end_;
}

}  // namespace grove
