// SPDX-License-Identifier: Apache-2.0
#include "server/internal/control_messages.h"

#include "base/process/control_packets.h"

namespace grove::server::detail {
namespace {

std::uint64_t milliseconds(std::chrono::milliseconds value) {
  return static_cast<std::uint64_t>(value.count());
}

}  // namespace

v1::ControlMessage worker_start(const server_config& config, std::uint32_t slot, std::uint32_t generation,
                                std::uint32_t workers, std::optional<std::uint32_t> core) {
  v1::ControlMessage message;
  v1::WorkerStart& start = *message.mutable_start();
  start.set_slot(slot);
  start.set_generation(generation);
  start.set_workers(workers);
  if (core) start.set_cpu(*core);
  start.set_log_level(config.log_level);
  put_limits(config.limits, *start.mutable_limits());
  start.set_stall_after_ms(milliseconds(config.stall_after));
  start.set_backdoor(config.backdoor);
  return message;
}

v1::ControlMessage drain_worker(std::chrono::milliseconds grace) {
  v1::ControlMessage message;
  message.mutable_drain()->set_grace_ms(milliseconds(grace));
  return message;
}

v1::ControlMessage quit_worker() {
  v1::ControlMessage message;
  message.mutable_quit();
  return message;
}

}  // namespace grove::server::detail
