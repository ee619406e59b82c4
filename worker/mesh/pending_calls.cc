// SPDX-License-Identifier: Apache-2.0
#include "worker/mesh/internal/pending_calls.h"

#include <utility>

#include "base/check.h"

namespace grove::meshes::detail {

std::uint64_t pending_calls::next_number() {
  GROVE_CHECK(!full(), "a number is asked for when as many calls as may be are with other workers");
  if (first_free_ == none) {
    first_free_ = static_cast<std::uint32_t>(entries_.size());
    entries_.emplace_back().next_free = none;
  }
  // 0 is no counter, so that 0 is no number.
  std::uint32_t& counter = entries_[first_free_].counter;
  if (++counter == 0) counter = 1;
  return std::uint64_t{counter} << 32U | first_free_;
}

void pending_calls::add(message_ptr call, std::uint16_t slot, std::uint64_t position) {
  GROVE_CHECK(first_free_ != none, "a call is added that has no number");
  pending_call& entry = entries_[first_free_];
  GROVE_CHECK(!entry.call, "a call is added in the place of another one");
  GROVE_DEBUG_CHECK(call->remote_call == (std::uint64_t{entry.counter} << 32U | first_free_),
                    "a call is added that another number was made for");
  first_free_ = entry.next_free;
  entry.call = std::move(call);
  entry.position = position;
  entry.items_bytes = 0;
  entry.progress = 0;
  entry.slot = slot;
  entry.watched = false;
  ++size_;
}

pending_call* pending_calls::find(std::uint64_t number, std::uint32_t slot) noexcept {
  const std::uint32_t index = index_of(number);
  if (index >= entries_.size()) return nullptr;
  pending_call& entry = entries_[index];
  if (!entry.call || entry.counter != number >> 32U || entry.slot != slot) return nullptr;
  return &entry;
}

message_ptr pending_calls::take(pending_call& entry) noexcept {
  GROVE_CHECK(entry.call != nullptr && size_ > 0, "a call is taken that is not with another worker");
  entry.next_free = first_free_;
  first_free_ = static_cast<std::uint32_t>(&entry - entries_.data());
  --size_;
  return std::move(entry.call);
}

pending_calls::taken_call pending_calls::take_next(std::uint32_t& from, std::uint32_t slot,
                                                   std::uint64_t up_to) noexcept {
  for (; from < entries_.size(); ++from) {
    pending_call& entry = entries_[from];
    if (entry.call && entry.slot == slot && entry.position <= up_to) {
      const std::uint64_t position = entry.position;
      return {take(entry), position};
    }
  }
  return {};
}

}  // namespace grove::meshes::detail
