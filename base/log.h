// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string_view>

#include "base/line_writer.h"

namespace spdlog {
class logger;
}

namespace grove {

/// The log of a process: what one writes to, and what brings its lines to stderr.
struct process_log {
  std::shared_ptr<line_writer> lines;
  std::shared_ptr<spdlog::logger> logger;
};

/// Lines to stderr: time, process role, level, text. `level` is trace, debug, info, warning, error, critical or off; `who`
/// names the process ("supervisor", "worker 1"). Logging never waits for whoever reads stderr: base/line_writer.h.
/// Errors: std::invalid_argument for a level that does not exist, std::system_error. Affinity: any thread may log.
[[nodiscard]] process_log make_log(std::string_view who, std::string_view level);

}  // namespace grove
