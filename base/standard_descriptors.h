// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace grove {

/// What becomes of a write to a standard output that was closed when the process began.
enum class closed_output : std::uint8_t {
  discarded,  ///< It succeeds, into /dev/null: for a server, whose log nobody wants.
  refused,    ///< It fails, as it would have without us: for a tool, whose reply somebody waits for.
};

/// Opens /dev/null for each of the descriptors 0, 1 and 2 that is closed. Else the next files and sockets get these
/// numbers, and what is meant for a person is written into them. Call it first of all in `main`.
void open_standard_descriptors(closed_output writes) noexcept;

}  // namespace grove
