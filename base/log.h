// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace spdlog {
class logger;
}

namespace grove {

/// A logger that writes lines to stderr: time, process role, level, text. `level` is trace, debug, info,
/// warning, error, critical or off; `who` names the process ("supervisor", "worker 1"). Errors:
/// std::invalid_argument for a level that does not exist. Affinity: any thread may use the logger.
[[nodiscard]] std::shared_ptr<spdlog::logger> make_logger(std::string_view who, std::string_view level);

}  // namespace grove
