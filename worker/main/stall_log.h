// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.h"
#include "base/process/shared_metrics.h"
#include "worker/hub/stall_monitor.h"
#include "worker/main/line_limit.h"

namespace spdlog {
class logger;
}

namespace grove {

/// Counts stalls, and writes them to the log: of either cause at most ten a second; the next line has the number of those
/// that were kept quiet.
/// Affinity: the monitor's thread.
class stall_log {
 public:
  /// `held` counts the stalls that something in the worker is to blame for, `unscheduled` the machine's.
  /// Lifetime: all are borrowed.
  stall_log(spdlog::logger& log, shared_number& held, shared_number& unscheduled, const clock& time) noexcept
      : log_{log}, held_{.count = held}, unscheduled_{.count = unscheduled}, time_{time} {}

  void write(const stall_event& event);

 private:
  struct kind {
    shared_number& count;
    line_limit lines{};
    bool quiet = false;  ///< About the present stall.
  };
  void write_held(const stall_event& event);
  void write_unscheduled(const stall_event& event);

  spdlog::logger& log_;
  kind held_;
  kind unscheduled_;
  const clock& time_;
};

}  // namespace grove
