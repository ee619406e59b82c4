// SPDX-License-Identifier: Apache-2.0
#include "worker/mesh/internal/lane.h"

#include <cstring>
#include <string_view>

#include "base/check.h"

namespace grove::meshes::detail {

namespace {
constexpr std::size_t kept_waiting_bytes = 64 * 1024;
}

char* lane::place(std::size_t bytes) {
  GROVE_CHECK(bytes <= bytes_max(), "a record that no ring can hold");
  if (char* const now = try_place(bytes)) return now;
  const std::uint64_t size = bytes;
  char* const later = waiting_.extend(sizeof size + bytes);
  std::memcpy(later, &size, sizeof size);
  return later + sizeof size;
}

void lane::refill() noexcept {
  while (!waiting_.empty()) {
    const std::string_view first = waiting_.view();
    std::uint64_t size = 0;
    std::memcpy(&size, first.data(), sizeof size);
    GROVE_CHECK(sizeof size + size <= first.size(), "a record that waits for room is cut off");
    char* const now = ring_.reserve(size);
    if (now == nullptr) return;
    std::memcpy(now, first.data() + sizeof size, size);
    waiting_.consume(sizeof size + size);
  }
  waiting_.shrink(kept_waiting_bytes);
}

bool lane::flush() noexcept {
  if (!waiting_.empty()) refill();
  if (asked_for_room_ && waiting_.empty() && wanted_bytes_ == 0) {
    asked_for_room_ = false;
    ring_.want_room(false);
  }
  return ring_.publish();
}

bool lane::may_sleep() noexcept {
  if (waiting_.empty() && wanted_bytes_ == 0) return true;
  asked_for_room_ = true;
  ring_.want_room(true);
  refill();
  if (ring_.unpublished_bytes() != 0) return false;
  if (wanted_bytes_ == 0 || !waiting_.empty() || !ring_.has_space(wanted_bytes_)) return true;
  wanted_bytes_ = 0;  // Who still waits for it asks again.
  return false;
}

void lane::discard() noexcept {
  ring_.discard();
  wanted_bytes_ = 0;
  waiting_.clear();
  waiting_.shrink(kept_waiting_bytes);
}

}  // namespace grove::meshes::detail
