// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "base/fd.h"
#include "grove/v1/control.pb.h"

namespace grove {

/// The worker's end of the control socket: one ControlMessage a packet.
class control_link {
 public:
  explicit control_link(unique_fd socket) noexcept : socket_{std::move(socket)} {}

  /// Waits, blocking the thread, for the next message; empty when the supervisor has gone.
  /// Errors: std::runtime_error for a packet that is no ControlMessage, std::system_error.
  [[nodiscard]] std::optional<v1::ControlMessage> receive();

  /// Sends; a supervisor that has gone is noticed by the next `receive`.
  void send(const v1::ControlMessage& message) noexcept;

  /// The process at the other end. Errors: std::system_error.
  [[nodiscard]] int peer() const;

  [[nodiscard]] int fd() const noexcept { return socket_.get(); }

 private:
  unique_fd socket_;
};

}  // namespace grove
