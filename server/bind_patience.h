// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signal.h>
#include <spdlog/logger.h>

#include <chrono>
#include <optional>

#include "base/clock.h"
#include "server/host_port.h"

namespace grove::server {

/// A signal that asked the server to stop came before it served.
struct stopped_before_serving {
  int signal;
};

/// Lets an address that is in use be tried again for a while; for `listen_on`.
/// Affinity: the thread that takes the process's signals, all others having blocked them.
class bind_patience {
 public:
  bind_patience(host_port where, spdlog::logger& log);
  bind_patience(const bind_patience&) = delete;
  bind_patience& operator=(const bind_patience&) = delete;
  /// Gives the signals back that it has kept from ending the process.
  ~bind_patience();

  /// Waits a moment; false when its time is over.
  /// Errors: throws stopped_before_serving at TERM, INT and QUIT.
  [[nodiscard]] bool operator()();

 private:
  void begin(steady_time now);

  static constexpr std::chrono::milliseconds whole{5'000};
  static constexpr std::chrono::milliseconds step{50};

  host_port where_;
  spdlog::logger& log_;
  std::optional<steady_time> give_up_;
  sigset_t awaited_{};
  sigset_t blocked_before_{};
};

}  // namespace grove::server
