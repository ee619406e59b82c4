// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/log.h"
#include "server/config.h"

namespace grove::server {

/// Runs a whole server: opens what workers share, starts them, and waits for events until the supervisor says that it
/// is over. Everything that can go wrong at the start is logged. Returns the process's exit code.
[[nodiscard]] int run_server(const server_config& config, const process_log& log);

}  // namespace grove::server
