// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

/// The numbers under which a worker finds what its supervisor opened for it. They are the whole contract of
/// the spawn: everything else comes as a message over the control socket.
namespace grove::inherited_fds {

inline constexpr int control = 3;        ///< SOCK_SEQPACKET, one ControlMessage a packet.
inline constexpr int shared_memory = 4;  ///< The sealed memfd of base/process/shared_segment.h.
inline constexpr int listener = 5;       ///< The listening socket that all workers accept from.
inline constexpr int first_peer = 6;     ///< Three descriptors a worker slot from here on.

/// An eventfd: written by whoever put something into a ring of a sleeping worker.
[[nodiscard]] constexpr int wake(std::uint32_t slot) noexcept {
  return first_peer + static_cast<int>(slot) * 3;
}

/// Where connected sockets that other workers hand over arrive (SOCK_DGRAM); read by the slot's own worker
/// only.
[[nodiscard]] constexpr int handoff_receive(std::uint32_t slot) noexcept {
  return wake(slot) + 1;
}

/// Where a connected socket is handed over to the worker of `slot`.
[[nodiscard]] constexpr int handoff_send(std::uint32_t slot) noexcept {
  return wake(slot) + 2;
}

}  // namespace grove::inherited_fds
