// SPDX-License-Identifier: Apache-2.0
#include "proto/wire/frame.h"

#include <cstdint>
#include <limits>

#include "base/check.h"

namespace grove::wire {

frame_view first_frame(std::string_view bytes, std::size_t envelope_bytes_max) noexcept {
  frame_view found;
  if (bytes.size() < frame_header_bytes) return found;
  const auto byte = [bytes](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i])); };
  found.length = byte(0) << 24U | byte(1) << 16U | byte(2) << 8U | byte(3);
  if (found.length == 0) {
    found.state = frame_state::empty;
  } else if (found.length > envelope_bytes_max) {
    found.state = frame_state::too_large;
  } else if (bytes.size() - frame_header_bytes >= found.length) {
    found.state = frame_state::complete;
    found.envelope = bytes.substr(frame_header_bytes, found.length);
    found.consumed = frame_header_bytes + found.length;
  }
  return found;
}

void write_frame_header(char* place, std::size_t length) noexcept {
  GROVE_DEBUG_CHECK(length <= std::numeric_limits<std::uint32_t>::max(), "a frame is longer than its header can say");
  for (std::size_t i = 0; i < frame_header_bytes; ++i) {
    place[i] = static_cast<char>(static_cast<unsigned char>(length >> (8U * (frame_header_bytes - 1 - i))));
  }
}

}  // namespace grove::wire
