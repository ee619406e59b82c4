// SPDX-License-Identifier: Apache-2.0
#pragma once

// The supervisor's judgement: what happens to the workers when one starts, is ready, hangs, dies, or when the server
// is told to stop. It is a state machine that is called with events and has no thread, socket or timer of its own;
// server/server_loop.h calls it in a real server.
//
// Invariants:
// - a slot's successor starts only after `on_exit` has told the end of the process before it;
// - a partition changes hands only while its owner has no process (server/partition_table.h);
// - every change of a slot's state bumps the segment's table version and then wakes all workers;
// - once a stop has begun nothing is started, and `exit_code` is set when the last process has ended.

#include <spdlog/logger.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/process/shared_segment.h"
#include "base/random.h"
#include "server/config.h"
#include "server/cpu_budget.h"
#include "server/exit_status.h"
#include "server/partition_table.h"
#include "server/worker_host.h"
#include "server/worker_table.h"

namespace grove::v1 {
class ControlMessage;
class WorkerDrained;
class WorkerFailed;
class WorkerHello;
class WorkerReady;
}  // namespace grove::v1

namespace grove::server {

/// What it works with. Lifetime: all of it outlives the supervisor.
struct supervisor_parts {
  const server_config& config;
  const cpu_budget& cpus;
  shared_segment& segment;
  worker_host& host;
  const clock& time;
  random_source& random;
  std::shared_ptr<spdlog::logger> log;
  std::string listen;  ///< The address that clients connect to, as bound.
  std::string admin;   ///< The admin's, or "off".
};

/// Whether the server should get new traffic.
struct readiness {
  bool ready = false;
  std::string reason;  ///< For a person, in either case.
};

class supervisor {
 public:
  /// How often heartbeats are looked at.
  static constexpr std::chrono::milliseconds look_period{100};
  /// A slot whose starts fail keeps its partitions if it may serve again within this time; else others serve them.
  static constexpr std::chrono::milliseconds partitions_kept_for{1'000};
  /// How long a worker may live on after it has closed its control socket.
  static constexpr std::chrono::milliseconds control_lost_grace{1'000};
  /// A quick stop: the order to quit, and SIGKILL this much later. A worker that has said that it is done has as long.
  static constexpr std::chrono::milliseconds quit_grace{500};
  /// How long a killed process may stay (one that waits in the kernel does) before the supervisor leaves without it.
  static constexpr std::chrono::seconds kill_grace{5};

  explicit supervisor(supervisor_parts parts);

  /// Starts all workers.
  void begin();

  /// A worker said something.
  void on_message(std::uint32_t slot, const v1::ControlMessage& message);
  /// A worker's control socket came to its end or failed, while its process is not known to have ended.
  void on_control_lost(std::uint32_t slot, std::string_view why);
  /// A worker's process has ended and was reaped.
  void on_exit(std::uint32_t slot, const exit_status& status);
  /// TERM drains (a second one quits), INT and QUIT quit, others are answered in the log.
  void on_signal(int signal);
  /// Does what is due: call it at `next_wake` or whenever.
  void tick();

  [[nodiscard]] steady_time next_wake() const;

  /// Set once the process is to end.
  [[nodiscard]] std::optional<int> exit_code() const noexcept { return exit_code_; }

  /// Whether all workers have been up at one time: the server has been able to do what it is for.
  [[nodiscard]] bool has_started() const noexcept { return announced_; }
  [[nodiscard]] bool is_stopping() const noexcept { return phase_ != phase::serving; }
  [[nodiscard]] readiness ready() const;
  [[nodiscard]] const worker_table& workers() const noexcept { return workers_; }
  [[nodiscard]] const partition_table& partitions() const noexcept { return partitions_; }

 private:
  enum class phase : std::uint8_t { serving, draining, quitting };

  void start(std::uint32_t slot);
  void set_state(std::uint32_t slot, worker_state state);
  void on_hello(std::uint32_t slot, const v1::WorkerHello& hello);
  void on_ready(std::uint32_t slot, const v1::WorkerReady& ready);
  void on_failed(std::uint32_t slot, const v1::WorkerFailed& failed);
  void on_drained(std::uint32_t slot, const v1::WorkerDrained& drained);
  void announce_ready();

  void bury(std::uint32_t slot, std::string_view ending);
  [[nodiscard]] std::string epitaph(std::uint32_t slot, const exit_status& status, const flight_report& flight) const;
  void replace(std::uint32_t slot, bool is_final, const process_life& life);

  [[nodiscard]] std::vector<std::uint32_t> serving() const;
  [[nodiscard]] bool is_gone(std::uint32_t slot) const;
  void deal_out_partitions();
  void send_partitions_home(std::uint32_t slot);
  void tell_of_partitions_away(std::uint32_t slot);
  [[nodiscard]] std::string partitions_text() const;

  void look_at_heartbeats(steady_time now);
  void look_at_heartbeat(std::uint32_t slot, steady_time now);
  void look_at_start(std::uint32_t slot, steady_time now);
  void abort_worker(std::uint32_t slot, steady_time now);
  void kill_worker(std::uint32_t slot);

  void drain();
  void quit(int code, std::string_view why);
  void stop_when_due(steady_time now);
  [[nodiscard]] bool cut_drain(steady_time now);
  void finish_when_empty();

  supervisor_parts parts_;
  worker_table workers_;
  partition_table partitions_;
  phase phase_ = phase::serving;
  steady_time begun_at_{};
  steady_time next_look_{};
  bool announced_ = false;

  int code_when_empty_ = 0;
  std::uint64_t given_up_ = 0;  ///< Messages, by workers whose drain was cut.
  steady_time stop_begun_at_{};
  std::optional<steady_time> kill_at_;   ///< Whoever still lives then is killed.
  std::optional<steady_time> leave_at_;  ///< And then the supervisor goes alone.
  std::optional<int> exit_code_;
};

}  // namespace grove::server
