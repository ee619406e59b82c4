// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/process/shared_segment.h"
#include "worker/gate/acceptor.h"
#include "worker/gate/frame_protocol.h"
#include "worker/hub/stall_monitor.h"
#include "worker/io/backdoor.h"
#include "worker/main/connection_room.h"
#include "worker/main/control_link.h"
#include "worker/main/descriptor_watch.h"
#include "worker/main/stall_log.h"
#include "worker/main/worker.h"
#include "worker/mesh/handoff.h"
#include "worker/mesh/worker_wakes.h"
#include "worker/store/memory_store.h"

namespace grove {

/// A worker whose world is a process: the descriptors that the supervisor opened for it, and the machine's clock.
/// Affinity: the thread that made it.
class worker_process final : private worker_border, private acceptor_owner {
 public:
  /// Errors: std::system_error for what cannot be mapped or watched.
  worker_process(const worker_start& start, shared_segment segment, control_link& control, const process_log& log);
  ~worker_process() override;

  /// Serves until it has been told to stop, and has; returns the exit code.
  int run();

 private:
  void send(const v1::ControlMessage& message) noexcept override { control_.send(message); }
  [[nodiscard]] bool pass_connection(std::uint32_t slot, byte_stream& stream, std::string_view already_read) override;
  void stop_listening() override;
  void tick() override;

  [[nodiscard]] bool may_accept() override { return self_->may_accept(); }
  void accepted(std::unique_ptr<byte_stream> connected, protocol_factory& speaks) override {
    self_->front().adopt(std::move(connected), speaks);
  }
  void ran_short(int error) override { room_.ran_short(error); }
  [[nodiscard]] bool others_have_room() override { return room_.others_have_room(); }
  void turn_away(unique_fd connected, const protocol_factory& speaks, int error) override;

  void open_listeners();
  void open_handoffs();
  void take_handoffs();
  void adopt_passed(unique_fd connected, std::string_view already_read);
  void on_control();
  void watch_stalls();
  void open_backdoor();

  worker_start start_;
  shared_segment segment_;
  worker_slot& slot_;
  control_link& control_;
  const line_writer& log_lines_;
  spdlog::logger& log_;
  system_clock clock_;
  memory_store store_;
  wake_descriptors wakes_;
  connection_room room_;
  frame_protocol_factory frames_;
  std::optional<worker> self_;
  std::vector<std::unique_ptr<acceptor>> listeners_;
  std::unique_ptr<handoff_receiver> handoffs_;
  std::unique_ptr<descriptor_watch> control_watch_;
  std::unique_ptr<descriptor_watch> handoff_watch_;
  std::unique_ptr<descriptor_watch> wake_watch_;
  std::uint64_t counted_dropped_lines_ = 0;
  std::optional<stall_log> stall_log_;
  std::optional<stall_monitor> stalls_;
  std::optional<backdoor> backdoor_;
};

}  // namespace grove
