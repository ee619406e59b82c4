// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace grove::wire {

/// A frame on the stream: four bytes of length, big-endian, then that many bytes of one Envelope.
inline constexpr std::size_t frame_header_bytes = 4;

enum class frame_state : std::uint8_t {
  complete,
  incomplete,  ///< More bytes are needed.
  empty,       ///< A protocol error: a length of zero.
  too_large,   ///< A protocol error: more than the limit.
};

struct frame_view {
  frame_state state = frame_state::incomplete;
  std::string_view envelope;  ///< When complete: the bytes, in place.
  std::size_t length = 0;     ///< What the header says, once there is one.
  std::size_t consumed = 0;   ///< When complete: header and envelope.
};

/// Looks at the first frame of `bytes`. Never allocates, never throws.
[[nodiscard]] frame_view first_frame(std::string_view bytes, std::size_t envelope_bytes_max) noexcept;

/// Writes a frame header for an envelope of `length` bytes at `place`.
void write_frame_header(char* place, std::size_t length) noexcept;

}  // namespace grove::wire
