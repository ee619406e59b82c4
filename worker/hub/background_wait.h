// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>

#include "worker/greenlet/unique_function.h"

namespace grove {

/// Calls a function in the hub's context whenever a descriptor is readable. That keeps no loop alive: hub::join() ends
/// though it listens (gevent's ref=False).
/// Affinity: hub thread.
/// Lifetime: goes with its io_context, as a member of a hub or of an Asio service does.
class background_wait {
 public:
  background_wait(asio::io_context& io, unique_function<void()> readable);
  background_wait(const background_wait&) = delete;
  background_wait& operator=(const background_wait&) = delete;
  ~background_wait() = default;

  /// Takes the descriptor over and listens from now on.
  void begin(int fd);
  void close() noexcept;
  /// -1 before begin() and after close().
  [[nodiscard]] int fd() noexcept { return descriptor_.native_handle(); }

 private:
  void listen();

  asio::io_context& io_;
  asio::posix::stream_descriptor descriptor_;
  unique_function<void()> readable_;
};

}  // namespace grove
