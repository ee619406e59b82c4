// SPDX-License-Identifier: Apache-2.0
#pragma once

// Carries calls between the workers of one machine, over the rings in shared memory.
//
// Problem: a call to an actor of another worker, and its answer, should cost one copy into memory and one out of it and
// no system call while both are awake; and any worker may die at any instruction without another one hanging, reading
// half a record or taking an answer for another call's.
//
// Invariants:
// - every call that was taken by `send` is answered to its origin exactly once: by its worker's reply, or when that
//   worker is seen to have died, or its ring to have been damaged;
// - records from one worker to another arrive in the order in which they were written;
// - answers, items and notes are never dropped while their receiver lives: what the ring has no room for waits in front
//   of it. Requests do not wait here: who can wait asks for `readiness` first, and else hears RESOURCE_EXHAUSTED;
// - what was written is published at the latest by the next poll() or prepare_sleep().
//
// Why nobody has to repair a ring when a worker dies:
// - what it wrote and did not publish is beyond the tail, where nobody looks; its successor continues at that tail and
//   overwrites it. What it did publish is whole, and is still read: answers are worth having;
// - what was sent to it is dropped by its successor, which starts with head = tail. Whatever a peer that has not seen the
//   death yet adds afterwards names the old generation, and is dropped when it is read;
// - each position thus has one writer, process after process, because a slot's next process starts only after waitid.
// The supervisor only says that a worker died: it changes the slot's state, bumps the table's version and writes all wake
// eventfds. Then each mesh reads what the dead worker had published, fails the calls that it still has with UNAVAILABLE,
// gives up the calls that it had sent, reports the tells that it had not read as lost, and forgets what waited for it.
// Tells that the dead worker had read cannot be counted, nor those that its successor dropped before the death was seen.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/process/shared_segment.h"
#include "worker/actor/actor_type.h"
#include "worker/actor/message.h"
#include "worker/actor/remote.h"
#include "worker/actor/reply.h"
#include "worker/hub/hub.h"
#include "worker/mesh/worker_wakes.h"

namespace spdlog {
class logger;
}

namespace grove {

namespace meshes::detail {
struct peer;
class pending_calls;
struct record_head;
struct request_head;
}  // namespace meshes::detail

/// Lifetime: everything is borrowed, and outlives the mesh, or at least its `close`.
struct mesh_options {
  const shared_segment& segment;
  std::uint32_t slot;  ///< The own one. Its generation must be set already.
  worker_wakes& wakes;
  const actor_types& types;  ///< Other workers may have others.
  message_pool& messages;
  message_receiver& receiver;
  spdlog::logger& log;
  const clock& time;
};

/// Affinity: the hub thread. Nothing switches.
class mesh final : public remote, public reply_sink, public hub_component {
 public:
  /// Maps the rings, and drops what was sent to this slot's last process.
  /// Errors: std::system_error.
  explicit mesh(const mesh_options& options);

  /// Publishes what was written.
  ~mesh() override;

  /// The first step of ending, before the runtime ends: calls that other workers have are answered UNAVAILABLE, outcome
  /// unknown, and no more are sent. What the runtime answers while it ends still leaves, at the latest when the mesh is
  /// destroyed.
  void close();

  // For the runtime (worker/actor/remote.h).
  /// A worker that is draining still takes calls that are nested in others or have waited for space, and tells, so that
  /// what was begun can end.
  [[nodiscard]] send_readiness readiness(std::uint32_t slot, const message& call) override;
  void send(std::uint32_t slot, message_ptr call) override;
  void cancel(message& call) override;

  // For calls that came from other workers (worker/actor/reply.h). An answer that is larger than a ring is replaced by
  // RESOURCE_EXHAUSTED.
  void finish(message& call, const reply& end) override;
  void item(message& call, const payload_source& payload) override;
  /// What of the items is on its way or waits at the client's connection, as far as its worker has reported it: it may
  /// say up to 16 KiB too much. Of a call that nobody waits for any more: without bounds.
  [[nodiscard]] std::size_t backlog_bytes(const message& call) const override;

  // For the hub.
  bool poll() override;
  bool prepare_sleep() override;
  void woke() override;

  /// Publishes what was written, and wakes those that sleep. True if there was anything.
  bool flush();

  /// Calls that other workers have for this one.
  [[nodiscard]] std::size_t calls_out() const noexcept;
  /// Whether all that other workers have sent is read, and all that is for them has left.
  [[nodiscard]] bool idle() const noexcept;
  /// How often the ring from `slot` was found damaged.
  [[nodiscard]] std::uint64_t faults_of(std::uint32_t slot) const noexcept;
  /// Walks calls, queues and rings, and aborts with the name of the first invariant that does not hold. What another
  /// worker may have damaged in shared memory is none.
  /// Affinity: hub thread, between polls.
  void check_invariants() const;

 private:
  using peer = meshes::detail::peer;
  void check_peer(const peer& p) const;
  enum class verdict : std::uint8_t { good, malformed, not_yet };

  void observe_table();
  void lose(peer& p);
  void report_lost_tells(const peer& p);
  void abandon_calls_from(peer& p);
  void fail_calls_at(peer& p, std::uint64_t up_to, std::string_view text);

  bool read(peer& p);
  [[nodiscard]] verdict take(peer& p, std::string_view body);
  [[nodiscard]] verdict take_request(peer& p, std::string_view body);
  [[nodiscard]] message_ptr unpack(const meshes::detail::request_head& head, std::string_view rest);
  [[nodiscard]] verdict take_answer(peer& p, std::string_view body);
  [[nodiscard]] verdict take_note(peer& p, std::string_view body);
  void found_damaged(peer& p);

  void report_progress(std::uint64_t number, std::uint32_t slot);
  void look_at_slow_streams();

  [[nodiscard]] bool takes_calls(const peer& p, const message& call) const noexcept;
  [[nodiscard]] char* try_place(peer& p, std::size_t bytes);
  [[nodiscard]] char* place(peer& p, std::size_t bytes);
  void note(peer& p, const meshes::detail::record_head& head, std::uint64_t value);
  void write_reply(peer& p, std::uint64_t number, const reply& end);
  [[nodiscard]] std::string why_full(const peer& p, std::size_t bytes) const;
  void publish(peer& p);
  void wake(peer& p) noexcept;
  [[nodiscard]] peer* peer_of(const message& call) const noexcept;

  const shared_segment& segment_;
  worker_slot& own_;
  const std::uint32_t slot_;
  const std::uint32_t generation_;
  worker_wakes& wakes_;
  const actor_types& types_;
  message_pool& messages_;
  message_receiver& receiver_;
  spdlog::logger& log_;
  const clock& time_;
  steady_time now_;  // Since the last poll(): what is left of a call's time need not be more exact.

  std::vector<std::unique_ptr<peer>> peers_;  // By slot; null for the own one.
  std::unique_ptr<meshes::detail::pending_calls> pending_;
  struct slow_stream {
    std::uint64_t number;
    std::uint32_t slot;
  };
  std::vector<slow_stream> slow_streams_;  // The pending calls whose entries are `watched`.
  std::vector<slow_stream> looked_at_;     // Scratch of look_at_slow_streams.
  std::uint32_t table_version_ = 0;
  bool closed_ = false;
};

}  // namespace grove
