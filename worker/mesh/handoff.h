// SPDX-License-Identifier: Apache-2.0
#pragma once

// Hands a connected socket to another worker: the worker that accepted a connection is not always the one that its client
// wants. One datagram over the receiver's hand-off socket carries the descriptor (SCM_RIGHTS) and what has been read from
// it already, the client's first frame included:
//
//   u32 magic
//   u32 size    of what follows, at most handoff_bytes_max
//   bytes

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "base/descriptor_reserve.h"
#include "base/fd.h"
#include "base/status.h"

namespace grove {

inline constexpr std::size_t handoff_bytes_max = 64 * 1024;

/// Hands `socket` over through `handoff_fd`, with bytes that were read from it. It stays open here: the caller closes it
/// when this succeeds, and goes on serving it when it does not.
/// Errors: RESOURCE_EXHAUSTED when the other worker's queue is full or there are more bytes than handoff_bytes_max,
/// UNAVAILABLE when it cannot be reached; nothing was sent then.
/// Switches: never.
[[nodiscard]] status send_handoff(int handoff_fd, int socket, std::string_view bytes);

/// Takes sockets that other workers hand over.
/// Affinity: one thread.
class handoff_receiver {
 public:
  /// Gets a connected socket (non-blocking, close-on-exec) and what was read from it already.
  /// Lifetime: the bytes are borrowed for the call.
  using callback = std::function<void(unique_fd socket, std::string_view bytes)>;

  /// `taken` gets what comes while there are descriptors; `too_many` what took the last one, to tell it so and close it.
  /// Lifetime: `handoff_fd`, the receiving end of the own slot, and the reserve are borrowed.
  handoff_receiver(int handoff_fd, descriptor_reserve& reserve, callback taken, callback too_many);

  /// Takes what is there without waiting, up to a bounded number of sockets: to be called when `fd()` is readable, again
  /// if it returns true. What is no hand-off is dropped and counted; so is one that comes while the reserve is empty.
  bool receive();

  [[nodiscard]] int fd() const noexcept { return fd_; }
  [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }

 private:
  [[nodiscard]] ssize_t receive_one(msghdr& message) noexcept;

  int fd_;
  descriptor_reserve& reserve_;
  callback taken_;
  callback too_many_;
  std::unique_ptr<char[]> buffer_;
  std::uint64_t dropped_ = 0;
};

}  // namespace grove
