// SPDX-License-Identifier: Apache-2.0
#pragma once

// The side of a worker that faces clients: bytes of connections become messages, and answers become bytes.
//
//   byte_stream -> gate_connection -> protocol -> intake -> runtime
//   byte_stream <- gate_connection <- protocol <-----------  turn
//
// A gate has its connections, whatever they speak, and is what they share: it knows neither sockets nor frames.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/fd.h"
#include "base/process/limits.h"
#include "base/process/shared_metrics.h"
#include "base/status.h"
#include "worker/actor/runtime.h"
#include "worker/gate/byte_stream.h"
#include "worker/gate/call_table.h"
#include "worker/gate/intake.h"
#include "worker/hub/hub.h"

namespace grove {

class gate_connection;
class protocol_factory;
class topology;

/// Affinity: the worker's hub thread.
class gate final : private hub_component {
 public:
  /// Lifetime: everything is borrowed and outlives the gate.
  gate(runtime& actors, topology& around, worker_metrics& metrics, const grove::limits& limits);
  ~gate();

  /// Takes over a connection: one that was accepted, or one that another worker passes (`already_read` is then what that
  /// worker had read from it, and this worker keeps it whatever it asks for). One above connections_max is refused and
  /// closed, within a second at most.
  void adopt(std::unique_ptr<byte_stream> stream, protocol_factory& speaks, std::string_view already_read = {});

  /// Refuses a connected socket that there is no descriptor for, with RESOURCE_EXHAUSTED and `why`, and closes it.
  void turn_away(unique_fd connected, const protocol_factory& speaks, std::string_view why);

  /// Tells all clients to go elsewhere, refuses new calls, and calls `done` when the last unfinished call has been
  /// answered.
  void drain(std::chrono::milliseconds grace, std::function<void()> done);

  [[nodiscard]] std::size_t connections() const noexcept { return connections_.size(); }
  [[nodiscard]] std::size_t unfinished_calls() const noexcept { return calls_.unfinished(); }
  [[nodiscard]] bool draining() const noexcept { return requests_.draining(); }

  /// Whether answers still wait to be written.
  [[nodiscard]] bool has_unsent() const noexcept;

  /// Walks connections, calls and lists, and aborts with the name of the first invariant that does not hold.
  /// Affinity: hub thread, between passes of the loop.
  void check_invariants() const;

  // For connections and protocols.
  [[nodiscard]] runtime& actors() const noexcept { return actors_; }
  [[nodiscard]] topology& around() const noexcept { return around_; }
  [[nodiscard]] worker_metrics& metrics() const noexcept { return metrics_; }
  [[nodiscard]] const grove::limits& limits() const noexcept { return limits_; }
  [[nodiscard]] intake& requests() noexcept { return requests_; }
  [[nodiscard]] call_count& calls() noexcept { return calls_; }
  void count_response(status_code code, outcome result);
  void mark_dirty(gate_connection& connection);
  /// Has it read in the next pass of the loop. Under load its next requests are there by then, and reading begins with
  /// them; a read that begins at once finds nothing and has been a system call for that.
  void read_later(gate_connection& connection);
  void forget(gate_connection& connection);

 private:
  bool poll() override;
  bool prepare_sleep() override { return dirty_.empty() && to_read_.empty(); }
  void woke() override {}

  runtime& actors_;
  topology& around_;
  worker_metrics& metrics_;
  const grove::limits& limits_;
  intake requests_;
  call_count calls_;
  std::unordered_map<std::uint64_t, std::shared_ptr<gate_connection>> connections_;  // By number.
  std::uint64_t last_number_ = 0;
  std::vector<std::shared_ptr<gate_connection>> dirty_;  // With something to send, or to look at again.
  std::vector<std::shared_ptr<gate_connection>> flushing_;
  std::vector<gate_connection*> to_read_;
};

}  // namespace grove
