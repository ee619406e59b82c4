// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/fd.h"

namespace grove::server {

/// Tells the service manager that started this process how the server is: systemd's protocol for services of
/// Type=notify (sd_notify(3)), datagrams of NAME=VALUE lines to the socket that the environment names. Where it names
/// none, nothing is told. Nothing here blocks, and what cannot be sent is lost: a server does not depend on who watches it.
/// Affinity: one thread.
class service_manager {
 public:
  service_manager() = default;

  /// Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, and takes them out of the environment: processes that are
  /// started later are not the service.
  [[nodiscard]] static service_manager from_environment();

  /// Of `from_environment`, with the values given; an empty address is none.
  service_manager(const std::string& address, std::optional<std::chrono::microseconds> watchdog);

  /// The server takes requests. Told once.
  void ready();

  /// A line for a person, shown by `systemctl status`. Told when it has changed.
  void status(std::string_view text);

  /// The server has begun to stop and will take `at_most` for it, which may be more than the unit allows. Told once.
  void stopping(std::chrono::microseconds at_most);

  /// The server is alive: call it whenever its loop has gone round. Told twice in each period of the watchdog.
  void alive(steady_time now);

 private:
  void tell(std::string_view lines) const noexcept;

  unique_fd socket_;  ///< Connected; empty when there is nobody to tell.
  std::optional<std::chrono::microseconds> watchdog_;
  std::optional<steady_time> told_alive_at_;
  std::string status_;
  bool told_ready_ = false;
  bool told_stopping_ = false;
};

}  // namespace grove::server
