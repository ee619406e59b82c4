// SPDX-License-Identifier: Apache-2.0
#pragma once

// A whole server in one process, on one thread, in its own time: the supervisor's judgement, workers with runtime, mesh
// and gate over one shared segment, and stores on a disk that survives them. Whoever drives it decides what happens next;
// from a seed, so that the same seed makes the same things happen.
//
// A worker's process takes steps: a message of the supervisor, or one pass of its loop. It sleeps as a real one does:
// while it does, only a wake, a due timer or what its streams bring lets it step again, so that a lost wake-up shows. It
// can die at any look at the clock, which is in the middle of anything: from there on nothing that it does reaches shared
// memory, a stream, the disk or the supervisor, and at the end of its pass it is gone.

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/process/limits.h"
#include "base/process/shared_segment.h"
#include "base/random.h"
#include "grove/v1/control.pb.h"
#include "server/supervisor.h"
#include "tests/support/memory_stream.h"
#include "tests/support/simulated_store.h"
#include "worker/actor/actor_type.h"
#include "worker/gate/frame_protocol.h"
#include "worker/main/worker.h"

namespace grove::test {

class simulated_server;

/// One process of a worker slot, from its start to its death.
class simulated_process final : private worker_border, private worker_wakes {
 public:
  simulated_process(simulated_server& around, std::uint32_t slot, int pid);
  ~simulated_process() override;

  [[nodiscard]] std::uint32_t slot() const noexcept { return slot_; }
  [[nodiscard]] int pid() const noexcept { return pid_; }
  [[nodiscard]] bool dead() const noexcept { return death_.has_value(); }
  /// How it ended, once it has.
  [[nodiscard]] const std::optional<server::exit_status>& death() const noexcept { return death_; }
  [[nodiscard]] simulated_store& store() noexcept { return store_; }
  /// Null before the supervisor has told it who it is.
  [[nodiscard]] worker* self() noexcept { return self_.get(); }
  [[nodiscard]] bool listens() const noexcept { return self_ != nullptr && !dead() && !stopped_listening_; }

  /// Whether a step would do anything.
  [[nodiscard]] bool has_work() const;
  void step();
  /// When it has to step at the latest, if nothing else wakes it.
  [[nodiscard]] std::optional<steady_time> next_timer() const;

  /// It is dead from here on.
  void die(const server::exit_status& how);
  /// It dies at that look at the clock from now.
  void die_at_look(std::uint32_t looks) noexcept { time_.dies_in = looks; }
  void wake_from_outside() noexcept { woken_ = true; }
  void receive(v1::ControlMessage message) { inbox_.push_back(std::move(message)); }
  /// A client's connection. Precondition: it listens.
  [[nodiscard]] std::shared_ptr<memory_peer> connect();

  std::deque<v1::ControlMessage> outbox;  ///< For the supervisor.

 private:
  /// The server's time, of which each look may be the last.
  struct mortal_clock final : clock {
    explicit mortal_clock(simulated_process& of) noexcept : self{of} {}
    [[nodiscard]] steady_time now() const noexcept override;
    simulated_process& self;
    mutable std::uint32_t dies_in = 0;
  };

  void send(const v1::ControlMessage& message) noexcept override;
  [[nodiscard]] bool pass_connection(std::uint32_t, byte_stream&, std::string_view) override { return false; }
  void stop_listening() override { stopped_listening_ = true; }
  void tick() override {}
  void wake(std::uint32_t slot) noexcept override;
  void begin(const v1::WorkerStart& start);

  simulated_server& around_;
  std::uint32_t slot_;
  int pid_;
  mortal_clock time_{*this};
  shared_segment segment_;
  simulated_store store_;
  std::unique_ptr<worker> self_;
  std::deque<v1::ControlMessage> inbox_;
  std::vector<std::weak_ptr<memory_peer>> peers_;
  std::optional<server::exit_status> death_;
  bool said_hello_ = false;
  bool woken_ = false;
  bool stopped_listening_ = false;
};

struct simulation_options {
  std::uint32_t workers = 3;
  std::uint64_t ring_bytes = 64 * 1024;
  grove::limits limits;
  std::function<void(actor_types&)> add_types;
  std::function<void(int pid)> on_death;  ///< Called at the moment of a process' death.
  bool prints_log = false;
};

class simulated_server final : private server::worker_host {
 public:
  simulated_server(std::uint64_t seed, simulation_options options);
  ~simulated_server() override;

  [[nodiscard]] random_source& random() noexcept { return random_; }
  [[nodiscard]] steady_time now() const noexcept { return time_.now(); }
  [[nodiscard]] const shared_segment& segment() const noexcept { return segment_; }
  [[nodiscard]] server::supervisor& judge() noexcept { return judge_; }
  [[nodiscard]] std::uint32_t workers() const noexcept { return segment_.workers(); }
  /// Null: the slot has no process.
  [[nodiscard]] simulated_process* process(std::uint32_t slot) noexcept { return processes_[slot].get(); }
  /// Whose step is being taken; null: nobody's.
  [[nodiscard]] simulated_process* running() const noexcept { return running_; }

  /// Something that can happen happens, drawn from the seed; time passes when nothing can. `may_step` says which slots
  /// take part: the others' processes stand still, and their supervisor does not know why.
  void step(const std::function<bool(std::uint32_t)>& may_step = {});
  /// Lets time pass whether or not there is something to do.
  void pass(steady_duration time) { time_.advance(time); }
  /// Steps until no process has anything to do before `until`.
  void run_until(steady_time until);

  /// A client's connection to a process that accepts any; null: none does.
  [[nodiscard]] std::shared_ptr<memory_peer> connect();

  /// Processes of that slot end before they serve, or do not any more.
  void fail_starts(std::uint32_t slot, bool fail) { fails_to_start_[slot] = fail; }
  /// From now on what each store takes is durable at once, and what it has.
  void complete_stores();
  void set_store_at_once(bool at_once) { store_at_once_ = at_once; }
  /// Appends that failed, over all processes.
  [[nodiscard]] std::uint64_t failed_appends() const;
  /// Processes that died before they were told to stop.
  [[nodiscard]] std::uint64_t deaths() const noexcept { return deaths_; }

 private:
  friend class simulated_process;

  [[nodiscard]] server::spawn_result start(std::uint32_t slot) override;
  [[nodiscard]] bool send(std::uint32_t slot, const v1::ControlMessage& message) override;
  void signal(std::uint32_t slot, int signal) override;
  void stop_listening() override { listening_ = false; }
  void poke_all() override;

  [[nodiscard]] bool supervisor_has_work() const;
  void step_supervisor();
  void in_process(simulated_process& process, const std::function<void()>& what);
  void complete_some(simulated_process& process, std::size_t changes);
  void advance_to_next();
  void wake(std::uint32_t slot) noexcept;
  [[nodiscard]] frame_protocol_factory& frames() noexcept { return frames_; }

  simulation_options options_;
  random_source random_;
  random_source restarts_;
  manual_clock time_;
  server::server_config config_;
  server::cpu_budget cpus_;
  std::shared_ptr<spdlog::logger> log_;
  shared_segment segment_;
  simulated_disk disk_;
  frame_protocol_factory frames_;
  std::vector<std::unique_ptr<simulated_process>> processes_;
  std::vector<bool> fails_to_start_;
  simulated_process* running_ = nullptr;
  server::supervisor judge_;
  int last_pid_ = 100;
  std::uint64_t failed_appends_ = 0;
  std::uint64_t deaths_ = 0;
  bool listening_ = true;
  bool store_at_once_ = true;
};

}  // namespace grove::test
