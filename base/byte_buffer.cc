// SPDX-License-Identifier: Apache-2.0
#include "base/byte_buffer.h"

#include <algorithm>
#include <cstring>

namespace grove {

void byte_buffer::append(std::string_view bytes) {
  if (!bytes.empty()) std::memcpy(extend(bytes.size()), bytes.data(), bytes.size());
}

void byte_buffer::reserve(std::size_t capacity) {
  if (capacity_ - begin_ < capacity) make_room(capacity - size());
}

void byte_buffer::shrink(std::size_t keep) noexcept {
  if (!empty() || capacity_ <= keep) return;
  data_.reset();
  capacity_ = begin_ = end_ = 0;
}

void byte_buffer::make_room(std::size_t bytes) {
  const std::size_t used = size();
  // Moving down is cheaper than growing as long as at least half of the memory is free afterwards.
  if (used + bytes <= capacity_ / 2) {
    std::memmove(data_.get(), data_.get() + begin_, used);
  } else {
    const std::size_t grown = std::max({capacity_ * 2, used + bytes, std::size_t{256}});
    auto larger = std::make_unique_for_overwrite<char[]>(grown);
    if (used != 0) std::memcpy(larger.get(), data_.get() + begin_, used);
    data_ = std::move(larger);
    capacity_ = grown;
  }
  begin_ = 0;
  end_ = used;
}

}  // namespace grove
