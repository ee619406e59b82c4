// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.h"
#include "base/shared_metrics.h"
#include "worker/hub/stall_monitor.h"
#include "worker/main/line_limit.h"

namespace spdlog {
class logger;
}

namespace grove {

/// Counts stalls, and writes them to the log: at most ten a second; the next line has the number of those that were
/// kept quiet.
/// Affinity: the monitor's thread.
class stall_log {
 public:
  /// Lifetime: all are borrowed.
  stall_log(spdlog::logger& log, shared_number& count, const clock& time) noexcept
      : log_{log}, count_{count}, time_{time} {}

  void write(const stall_event& event);

 private:
  void write_stall(const stall_event& event);

  spdlog::logger& log_;
  shared_number& count_;
  const clock& time_;
  line_limit lines_;
  bool quiet_ = false;  ///< About the present stall.
};

}  // namespace grove
