// SPDX-License-Identifier: Apache-2.0
#include "server/internal/control_messages.h"

namespace grove::server::detail {
namespace {

std::uint64_t milliseconds(std::chrono::milliseconds value) {
  return static_cast<std::uint64_t>(value.count());
}

void fill(v1::ServerLimits& out, const limits& in) {
  out.set_frame_bytes_max(in.frame_bytes_max);
  out.set_nesting_max(in.nesting_max);
  out.set_key_bytes_max(in.key_bytes_max);
  out.set_unfinished_calls_max(in.unfinished_calls_max);
  out.set_output_buffer_bytes_max(in.output_buffer_bytes_max);
  out.set_connections_max(in.connections_max);
  out.set_mailbox_messages_max(in.mailbox_messages_max);
  out.set_mailbox_bytes_max(in.mailbox_bytes_max);
  out.set_stacks_max(in.stacks_max);
  out.set_slow_reader_cut_ms(milliseconds(in.slow_reader_cut));
  out.set_first_frame_within_ms(milliseconds(in.first_frame_within));
  out.set_call_deadline_ms(milliseconds(in.call_deadline));
  out.set_idle_timeout_ms(milliseconds(in.idle_timeout));
  out.set_type_bytes_max(in.type_bytes_max);
  out.set_method_bytes_max(in.method_bytes_max);
  out.set_metadata_entries_max(in.metadata_entries_max);
  out.set_call_depth_max(in.call_depth_max);
  out.set_frame_within_ms(milliseconds(in.frame_within));
  out.set_call_deadline_max_ms(milliseconds(in.call_deadline_max));
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
  fill(*start.mutable_limits(), config.limits);
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
