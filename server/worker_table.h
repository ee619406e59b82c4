// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/process/shared_segment_layout.h"
#include "server/heartbeat_watch.h"
#include "server/restart_policy.h"

namespace grove::server {

/// What the supervisor knows of one worker slot and the process that fills it.
struct worker_record {
  worker_record(const restart_limits& delays, const hang_limits& hangs, random_source& random) noexcept
      : watch{hangs}, policy{delays, random} {}

  worker_state state = worker_state::down;
  int pid = 0;  ///< 0: there is no process. A process may still be dying while the state is down.
  std::uint32_t generation = 0;
  std::uint32_t restarts = 0;
  std::optional<std::uint32_t> core;

  steady_time started_at{};
  steady_time start_deadline{};
  std::optional<steady_time> ready_at;         ///< Of this process.
  std::optional<steady_time> last_served_at;   ///< When an earlier process of the slot died after it had served.
  std::optional<steady_time> restart_at;       ///< A successor is due then.
  std::optional<steady_time> unserved_since;   ///< A process has ended then, and none of the slot has served since.
  std::optional<steady_time> control_lost_at;  ///< The process no longer listens to us.

  bool abandoned = false;        ///< It gets no successor.
  bool failed_to_start = false;  ///< Its last process ended before it was ready.
  bool signalled_by_us = false;
  bool killed_by_us = false;
  bool said_drained = false;  ///< It is about to end by itself.
  bool drain_cut = false;     ///< It was not done when the drain's time was over.
  std::string failure;        ///< What the process said about why it cannot start.

  heartbeat_watch watch;
  restart_policy policy;
};

/// All slots, and what they amount to.
class worker_table {
 public:
  /// Lifetime: `random` outlives the table.
  worker_table(std::uint32_t workers, const restart_limits& restarts, const hang_limits& hangs, random_source& random);

  [[nodiscard]] std::uint32_t size() const noexcept { return static_cast<std::uint32_t>(records_.size()); }
  [[nodiscard]] worker_record& operator[](std::uint32_t slot) { return records_.at(slot); }
  [[nodiscard]] const worker_record& operator[](std::uint32_t slot) const { return records_.at(slot); }

  [[nodiscard]] std::uint32_t count(worker_state state) const noexcept;

  /// Slots whose drain was cut.
  [[nodiscard]] std::uint32_t cut_drains() const noexcept;

  /// Slots with a process, whatever its state.
  [[nodiscard]] std::uint32_t processes() const noexcept;

  [[nodiscard]] bool all_up() const noexcept { return count(worker_state::up) == size(); }

  /// No slot serves, will serve or might.
  [[nodiscard]] bool all_abandoned() const noexcept;

  /// Whether some slot serves, or has within `window`: then the death of another is no reason to give up.
  [[nodiscard]] bool somebody_serves(steady_time now, std::chrono::milliseconds window) const noexcept;

  /// The next moment at which a successor is due.
  [[nodiscard]] std::optional<steady_time> next_restart() const noexcept;

  [[nodiscard]] auto begin() noexcept { return records_.begin(); }
  [[nodiscard]] auto end() noexcept { return records_.end(); }

 private:
  std::vector<worker_record> records_;
};

}  // namespace grove::server
