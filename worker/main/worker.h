// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/process/limits.h"
#include "base/process/shared_segment.h"
#include "worker/actor/runtime.h"
#include "worker/gate/acceptor.h"
#include "worker/gate/frame_protocol.h"
#include "worker/gate/gate.h"
#include "worker/gate/topology.h"
#include "worker/hub/callback_timer.h"
#include "worker/hub/hub.h"
#include "worker/hub/stall_monitor.h"
#include "worker/io/backdoor.h"
#include "worker/main/connection_room.h"
#include "worker/main/control_link.h"
#include "worker/main/descriptor_watch.h"
#include "worker/main/shared_recorder.h"
#include "worker/main/stall_log.h"
#include "worker/mesh/drain_agreement.h"
#include "worker/mesh/handoff.h"
#include "worker/mesh/mesh.h"
#include "worker/mesh/shared_placement.h"
#include "worker/store/memory_store.h"

namespace grove {

/// What a worker learns from its supervisor before it begins.
struct worker_start {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
  std::uint32_t workers = 1;
  grove::limits limits;
  std::chrono::milliseconds stall_after{0};  ///< 0: stalls are not looked for.
  std::string backdoor;                      ///< A folder; empty: none.
};

/// One worker: wires hub, runtime, mesh and gate to what the supervisor opened for it.
/// Affinity: the thread that made it.
class worker final : private topology, private acceptor_owner, private hub_component {
 public:
  /// Errors: std::system_error for what cannot be mapped or watched.
  worker(const worker_start& start, shared_segment segment, control_link& control, const process_log& log);
  ~worker() override;

  /// Serves until it has been told to stop, and has; returns the exit code.
  int run();

 private:
  [[nodiscard]] std::uint32_t own_slot() const noexcept override { return start_.slot; }
  [[nodiscard]] std::uint32_t workers() const noexcept override { return segment_.workers(); }
  [[nodiscard]] std::uint32_t partitions() const noexcept override { return segment_.partitions(); }
  [[nodiscard]] std::uint32_t owner_of_partition(std::uint32_t partition) const noexcept override {
    return segment_.owner_of_partition(partition).worker();
  }
  [[nodiscard]] bool pass_connection(std::uint32_t slot, byte_stream& stream, std::string_view already_read) override;

  [[nodiscard]] bool may_accept() override { return gate_->connections() < start_.limits.connections_max; }
  void accepted(std::unique_ptr<byte_stream> connected, protocol_factory& speaks) override {
    gate_->adopt(std::move(connected), speaks);
  }
  void ran_short(int error) override { room_.ran_short(error); }
  [[nodiscard]] bool others_have_room() override { return room_.others_have_room(); }
  void turn_away(unique_fd connected, const protocol_factory& speaks, int error) override;

  // The heartbeat: once a pass, and the timer sees to it that passes do not end.
  bool poll() override;
  bool prepare_sleep() override { return true; }
  void woke() override {}

  void open_listeners();
  void open_handoffs();
  void take_handoffs();
  void adopt_passed(unique_fd connected, std::string_view already_read);
  void on_control();
  void drain(std::chrono::milliseconds grace, int exit_code);
  void leave_when_all_is_done();
  void stop(int exit_code);
  void quit();
  void every_second();
  void watch_stalls();
  void open_backdoor();

  worker_start start_;
  shared_segment segment_;
  control_link& control_;
  const line_writer& log_lines_;
  spdlog::logger& log_;
  system_clock clock_;
  hub hub_;
  actor_types types_;
  shared_placement placement_{segment_};
  memory_store store_;
  shared_recorder recorder_;
  connection_room room_;
  std::unique_ptr<runtime> runtime_;
  std::unique_ptr<mesh> mesh_;
  drain_agreement agreement_;
  frame_protocol_factory frames_;
  std::unique_ptr<gate> gate_;
  std::vector<std::unique_ptr<acceptor>> listeners_;
  std::unique_ptr<handoff_receiver> handoffs_;
  std::unique_ptr<descriptor_watch> control_watch_;
  std::unique_ptr<descriptor_watch> handoff_watch_;
  std::unique_ptr<descriptor_watch> wake_watch_;
  std::unique_ptr<callback_timer> tick_;
  std::unique_ptr<callback_timer> grace_over_;
  std::uint32_t ticks_ = 0;
  std::uint64_t counted_dropped_lines_ = 0;
  int exit_code_ = 0;
  std::optional<int> drained_exit_;  ///< Set when no client waits for an answer any more.
  bool stopping_ = false;
  bool cut_ = false;  ///< The drain's time was over.
  std::optional<stall_log> stall_log_;
  std::optional<stall_monitor> stalls_;
  std::optional<backdoor> backdoor_;
};

}  // namespace grove
