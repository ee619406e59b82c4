// SPDX-License-Identifier: Apache-2.0
#pragma once

// The side of a worker that faces clients: bytes on sockets become messages, and answers become bytes.
//
// Invariants:
// - a session's unfinished calls are in its list; when the session ends they are detached and cancelled, so that no
//   answer is ever sent to a session that has gone;
// - what is answered while a read is being handled leaves with one write, at the end of it;
// - a session stops reading while it has too many unfinished calls or too much to send.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/fd.h"
#include "base/process/limits.h"
#include "base/process/shared_metrics.h"
#include "proto/wire/envelope.h"
#include "worker/actor/reply.h"
#include "worker/actor/runtime.h"
#include "worker/hub/hub.h"

namespace grove {

class session;

/// What the gate knows of the server around it.
class gate_surroundings {
 public:
  gate_surroundings() = default;
  gate_surroundings(const gate_surroundings&) = delete;
  gate_surroundings& operator=(const gate_surroundings&) = delete;
  virtual ~gate_surroundings() = default;

  [[nodiscard]] virtual std::uint32_t own_slot() const noexcept = 0;
  [[nodiscard]] virtual std::uint32_t workers() const noexcept = 0;
  [[nodiscard]] virtual std::uint32_t partitions() const noexcept = 0;
  [[nodiscard]] virtual std::uint32_t owner_of_partition(std::uint32_t partition) const noexcept = 0;

  /// Passes a connected socket to the worker of `slot`, with what was read from it already. False: it could not be, and
  /// the socket is as it was; true: the other worker has a copy of the descriptor, and the caller closes its own.
  [[nodiscard]] virtual bool hand_over(std::uint32_t slot, int fd, std::string_view already_read) = 0;
};

class gate final : public reply_sink, private hub_component {
 public:
  /// Lifetime: everything is borrowed and outlives the gate.
  gate(runtime& actors, gate_surroundings& around, worker_metrics& metrics, const limits& its_limits);
  ~gate() override;

  /// Takes over a connected socket: one that was accepted, or one that another worker hands over (`already_read` is then
  /// what that worker had read from it, and this worker keeps it whatever it asks for). One above connections_max is
  /// refused and closed, within a second at most.
  void adopt(unique_fd connected, std::string_view already_read = {});

  /// Refuses a connected socket that there is no descriptor for, with RESOURCE_EXHAUSTED and `why`, and closes it.
  void turn_away(unique_fd connected, std::string_view why);

  /// Tells all clients to go elsewhere, refuses new calls, and calls `done` when the last unfinished call has been
  /// answered.
  void drain(std::chrono::milliseconds grace, std::function<void()> done);

  [[nodiscard]] std::size_t sessions() const noexcept { return sessions_.size(); }
  [[nodiscard]] std::size_t unfinished_calls() const noexcept { return unfinished_; }
  [[nodiscard]] bool draining() const noexcept { return draining_; }

  /// Whether answers still wait to be written.
  [[nodiscard]] bool has_unsent() const noexcept;

  void finish(message& call, const reply& end) override;
  void item(message& call, const payload_source& payload) override;
  [[nodiscard]] std::size_t backlog_bytes(const message& call) const override;

  // For sessions.
  [[nodiscard]] runtime& actors() const noexcept { return actors_; }
  [[nodiscard]] gate_surroundings& around() const noexcept { return around_; }
  [[nodiscard]] worker_metrics& metrics() const noexcept { return metrics_; }
  [[nodiscard]] const limits& bounds() const noexcept { return limits_; }
  [[nodiscard]] std::string welcome_envelope(bool with_owners) const;
  /// Where the frame that is being handled is decoded to: one place for all, since clearing a new one costs more.
  [[nodiscard]] wire::envelope_view& decoded() noexcept { return decoded_; }
  void mark_dirty(session& s);
  /// Has it read in the next pass of the loop. Under load its next requests are there by then, and reading begins with
  /// them; a read that begins at once finds nothing and has been a system call for that.
  void read_later(session& s);
  void forget(session& s);
  void call_began() noexcept { ++unfinished_; }
  void call_ended();

 private:
  bool poll() override;
  bool prepare_sleep() override { return dirty_.empty() && to_read_.empty(); }
  void woke() override {}

  runtime& actors_;
  gate_surroundings& around_;
  worker_metrics& metrics_;
  const limits& limits_;
  wire::envelope_view decoded_;
  std::unordered_map<session*, std::shared_ptr<session>> sessions_;
  std::vector<std::shared_ptr<session>> dirty_;  // With something to send, or to look at again.
  std::vector<std::shared_ptr<session>> flushing_;
  std::vector<session*> to_read_;
  std::size_t unfinished_ = 0;
  bool draining_ = false;
  std::function<void()> drained_;
};

}  // namespace grove
