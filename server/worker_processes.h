// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "server/exit_status.h"
#include "server/worker_host.h"

namespace grove::server {

struct child_process;

/// What worker processes do, as it is reported to the supervisor.
struct worker_events {
  std::function<void(std::uint32_t slot, const v1::ControlMessage&)> message;
  std::function<void(std::uint32_t slot, std::string_view why)> control_lost;
  std::function<void(std::uint32_t slot, const exit_status&)> exit;
};

/// The worker processes of a real server. It keeps every descriptor that workers inherit, for ever, so that the
/// death of a worker loses neither a waiting connection nor one that is on its way to another worker.
class worker_processes final : public worker_host {
 public:
  /// Lifetime: `io` outlives it; `shared_memory` and `listener` stay open. Errors: std::system_error.
  worker_processes(asio::io_context& io, std::string program, std::uint32_t workers, int shared_memory, int listener,
                   worker_events on);
  ~worker_processes() override;

  [[nodiscard]] spawn_result start(std::uint32_t slot) override;
  [[nodiscard]] bool send(std::uint32_t slot, const v1::ControlMessage& message) override;
  void signal(std::uint32_t slot, int signal) override;
  void stop_listening() override;
  void poke_all() override;

 private:
  struct process;
  struct peer_fds {
    unique_fd wake;
    unique_fd handoff_receive;
    unique_fd handoff_send;
  };

  void adopt(std::uint32_t slot, child_process&& child, unique_fd control);
  void watch(std::uint32_t slot, const std::shared_ptr<process>& started);
  void reap(std::uint32_t slot, const std::shared_ptr<process>& ended);

  asio::io_context& io_;
  std::string program_;
  int floor_;  ///< Descriptors that are passed on live at this number and above.
  unique_fd shared_memory_;
  unique_fd listener_;
  std::vector<peer_fds> peers_;
  std::vector<std::shared_ptr<process>> processes_;
  worker_events on_;
};

}  // namespace grove::server
