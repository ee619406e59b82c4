// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/process/limits.h"
#include "server/heartbeat_watch.h"
#include "server/host_port.h"
#include "server/restart_policy.h"
#include "server/text_file.h"

namespace grove::server {

/// Whether a worker is bound to a core.
enum class pinning : std::uint8_t {
  automatic,  ///< When there is a core for each worker and no quota below them.
  off,
};

/// Everything that a person can set about a server, with its defaults.
struct server_config {
  host_port listen{"127.0.0.1", 7400};
  std::optional<host_port> admin = host_port{"127.0.0.1", 7401};  ///< Empty: none.
  std::optional<std::uint32_t> workers;                           ///< Empty: as many as there are cores.
  pinning pin = pinning::automatic;
  std::string log_level = "info";
  std::chrono::milliseconds drain_timeout{25'000};
  std::chrono::milliseconds start_timeout{10'000};
  std::chrono::milliseconds stall_after{25};  ///< 0: stalls are not looked for.
  std::string backdoor;                       ///< A folder; empty: none.
  hang_limits hangs;
  restart_limits restarts;
  grove::limits limits;
};

/// Where settings come from; the caller reads the world, so that a test can make one up.
struct config_sources {
  std::vector<std::string> arguments;                            ///< Without the program's name.
  std::vector<std::pair<std::string, std::string>> environment;  ///< Name and value.
  file_reader read_file;
  /// Why no sockets can be made in a folder; empty: they can.
  std::function<std::optional<std::string>(const std::string&)> folder_trouble = {};
};

/// The process ends instead of serving: --help, --version (code 0), or a configuration that is wrong
/// (exit_codes::bad_configuration), with everything that is wrong about it.
struct config_exit {
  int code = 0;
  std::string text;
};

/// Flags win over the environment, the environment over the file, the file over the defaults. An error names the key,
/// where it was set (flag, environment variable, file and line) and the nearest right one.
[[nodiscard]] std::variant<server_config, config_exit> read_config(const config_sources& sources);

}  // namespace grove::server
