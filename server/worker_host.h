// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace grove::v1 {
class ControlMessage;
}

namespace grove::server {

/// A process, or why there is none.
struct spawn_result {
  int pid = 0;
  std::string error;  ///< Not empty: it could not be started.
};

/// All that the supervisor does to the outside world; real processes and sockets, or a test's script.
class worker_host {
 public:
  virtual ~worker_host() = default;

  /// Starts the process of a slot that has none. What it says and its end are reported to the supervisor's `on_*`
  /// functions, never from within this call.
  [[nodiscard]] virtual spawn_result start(std::uint32_t slot) = 0;

  /// Sends to the slot's process; false when it cannot be reached, which `on_control_lost` does not report again.
  [[nodiscard]] virtual bool send(std::uint32_t slot, const v1::ControlMessage& message) = 0;

  /// Sends a signal to the slot's process; nothing happens when there is none.
  virtual void signal(std::uint32_t slot, int signal) = 0;

  /// The server stops: whoever connects from now on, or waits to be accepted, is refused at once.
  virtual void stop_listening() = 0;

  /// Wakes all workers, so that they look at the changed table.
  virtual void poke_all() = 0;
};

}  // namespace grove::server
