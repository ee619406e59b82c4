// SPDX-License-Identifier: Apache-2.0
#include "worker/mesh/drain_agreement.h"

#include <array>

namespace grove {
namespace {

/// Positions are multiples of 8, so that with this even one to which nothing was ever sent writes down something else
/// than 0.
constexpr std::uint64_t rests = 1;

/// All that was ever published to `slot`, with `rests`.
std::uint64_t sent_to(const shared_segment& segment, std::uint32_t slot) noexcept {
  std::uint64_t bytes = 0;
  for (std::uint32_t from = 0; from < segment.workers(); ++from) {
    if (from != slot) bytes += segment.ring(from, slot).tail.load(std::memory_order_acquire);
  }
  return bytes | rests;
}

/// All of it that was read there.
std::uint64_t read_by(const shared_segment& segment, std::uint32_t slot) noexcept {
  std::uint64_t bytes = 0;
  for (std::uint32_t from = 0; from < segment.workers(); ++from) {
    if (from != slot) bytes += segment.ring(from, slot).head.load(std::memory_order_acquire);
  }
  return bytes | rests;
}

}  // namespace

drain_agreement::drain_agreement(const shared_segment& segment, std::uint32_t slot, worker_wakes& wakes)
    : segment_{segment}, slot_{slot}, wakes_{wakes} {
  segment_.slot(slot_).rests_at.store(0, std::memory_order_release);
}

void drain_agreement::rest() {
  auto& rests_at = segment_.slot(slot_).rests_at;
  const std::uint64_t now = read_by(segment_, slot_);
  if (rests_at.load(std::memory_order_relaxed) == now) return;
  rests_at.store(now, std::memory_order_release);
  for (std::uint32_t other = 0; other < segment_.workers(); ++other) {
    if (other != slot_) wakes_.wake(other);
  }
}

bool drain_agreement::stops_with_us(std::uint32_t slot) const noexcept {
  return segment_.slot(slot).state.load(std::memory_order_acquire) ==
         segment_.slot(slot_).state.load(std::memory_order_acquire);
}

bool drain_agreement::reached() const noexcept {
  std::array<std::uint64_t, workers_max> rests_at{};
  for (std::uint32_t slot = 0; slot < segment_.workers(); ++slot) {
    if (!stops_with_us(slot)) continue;
    rests_at[slot] = segment_.slot(slot).rests_at.load(std::memory_order_acquire);
    if (rests_at[slot] == 0) return false;
  }
  // Only now, so that whatever one of them had published before it rested is counted.
  for (std::uint32_t slot = 0; slot < segment_.workers(); ++slot) {
    if (rests_at[slot] != 0 && rests_at[slot] != sent_to(segment_, slot)) return false;
  }
  return true;
}

}  // namespace grove
