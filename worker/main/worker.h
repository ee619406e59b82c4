// SPDX-License-Identifier: Apache-2.0
#pragma once

// A worker, whatever its world is made of.
//
//   clients -> gate -> runtime <-> mesh <-> other workers
//                 supervisor <-> worker
//
// It wires hub, runtime, mesh and gate, beats its heart, and drains. Everything outside comes as a parameter, so that a
// whole server can be run in one process, on one thread, under a seed: worker_process.h has the world of descriptors,
// tests/support/simulated_server.h the simulated one. (FoundationDB's simulation is the model: Zhou and others,
// "FoundationDB: a distributed unbundled transactional key value store", 2021.)

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/process/limits.h"
#include "base/process/shared_segment.h"
#include "worker/actor/runtime.h"
#include "worker/actor/state_store.h"
#include "worker/gate/gate.h"
#include "worker/gate/topology.h"
#include "worker/hub/callback_timer.h"
#include "worker/hub/hub.h"
#include "worker/main/shared_recorder.h"
#include "worker/mesh/drain_agreement.h"
#include "worker/mesh/mesh.h"
#include "worker/mesh/shared_placement.h"
#include "worker/mesh/worker_wakes.h"

namespace spdlog {
class logger;
}

namespace grove {

namespace v1 {
class ControlMessage;
}

/// What a worker learns from its supervisor before it begins.
struct worker_start {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
  std::uint32_t workers = 1;
  grove::limits limits;
  std::chrono::milliseconds stall_after{0};  ///< 0: stalls are not looked for.
  std::string backdoor;                      ///< A folder; empty: none.
};

/// What a worker does to the world, but for what it writes into shared memory and its store. None of it waits.
class worker_border {
 public:
  worker_border() = default;
  worker_border(const worker_border&) = delete;
  worker_border& operator=(const worker_border&) = delete;
  virtual ~worker_border() = default;

  /// To the supervisor. One that has gone is noticed elsewhere.
  virtual void send(const v1::ControlMessage& message) noexcept = 0;
  /// As topology has it.
  [[nodiscard]] virtual bool pass_connection(std::uint32_t slot, byte_stream& stream,
                                             std::string_view already_read) = 0;
  /// It drains: whoever connects is not for this worker any more.
  virtual void stop_listening() = 0;
  /// Called ten times a second.
  virtual void tick() = 0;
};

/// Lifetime: everything is borrowed, and outlives the worker.
struct worker_world {
  const clock& time;
  const shared_segment& segment;
  state_store& store;
  worker_wakes& wakes;
  worker_border& border;
  spdlog::logger& log;
  std::function<void(actor_types&)> add_types;  ///< What it hosts beside grove.System.
  hub_options loop;
};

/// Affinity: the greenlet that made it, as a hub's.
class worker final : private topology, private hub_component {
 public:
  worker(const worker_start& start, const worker_world& world);
  /// Every call that it has is answered UNAVAILABLE, outcome unknown or not executed.
  ~worker() override;

  [[nodiscard]] hub& loop() noexcept { return hub_; }
  [[nodiscard]] gate& front() noexcept { return *gate_; }
  [[nodiscard]] runtime& actors() noexcept { return *runtime_; }
  [[nodiscard]] mesh& net() noexcept { return *mesh_; }

  /// Tells the supervisor that it serves from now on.
  void begin();
  [[nodiscard]] bool may_accept() const noexcept { return gate_->connections() < start_.limits.connections_max; }
  void on_control(const v1::ControlMessage& message);
  /// It finishes what was begun, for some seconds at most, and ends.
  void on_supervisor_lost();

  /// Those of its parts (mesh::check_invariants() and its like).
  void check_invariants() const;

  /// Set once its loop is to end, which stop() of the hub has been called for.
  [[nodiscard]] std::optional<int> exit_code() const noexcept { return exit_code_; }

 private:
  [[nodiscard]] std::uint32_t own_slot() const noexcept override { return start_.slot; }
  [[nodiscard]] std::uint32_t workers() const noexcept override { return world_.segment.workers(); }
  [[nodiscard]] std::uint32_t partitions() const noexcept override { return world_.segment.partitions(); }
  [[nodiscard]] std::uint32_t owner_of_partition(std::uint32_t partition) const noexcept override {
    return world_.segment.owner_of_partition(partition).worker();
  }
  [[nodiscard]] bool pass_connection(std::uint32_t slot, byte_stream& stream, std::string_view already_read) override {
    return world_.border.pass_connection(slot, stream, already_read);
  }

  // The heartbeat: once a pass, and the timer sees to it that passes do not end.
  bool poll() override;
  bool prepare_sleep() override { return true; }
  void woke() override {}

  void on_tick();
  void drain(std::chrono::milliseconds grace, int exit_code);
  void leave_when_all_is_done();
  void stop(int exit_code);

  worker_start start_;
  worker_world world_;
  spdlog::logger& log_;
  worker_slot& slot_;
  hub hub_;
  actor_types types_;
  shared_placement placement_{world_.segment};
  shared_recorder recorder_;
  std::unique_ptr<runtime> runtime_;
  std::unique_ptr<mesh> mesh_;
  drain_agreement agreement_;
  std::unique_ptr<gate> gate_;
  std::unique_ptr<callback_timer> tick_;
  std::unique_ptr<callback_timer> grace_over_;
  std::uint32_t ticks_ = 0;
  std::optional<int> exit_code_;
  std::optional<int> drained_exit_;  ///< Set when no client waits for an answer any more.
  bool stopping_ = false;
  bool cut_ = false;  ///< The drain's time was over.
};

}  // namespace grove
