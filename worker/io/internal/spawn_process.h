// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/fd.h"
#include "worker/io/subprocess.h"

namespace grove::io::detail {

struct started_process {
  pid_t pid = -1;
  unique_fd pidfd;
  unique_fd in;  // our ends of the pipes
  unique_fd out;
  unique_fd err;
};

/// Errors: as subprocess::start().
started_process spawn_process(std::vector<std::string> argv, const subprocess_options& options);

bool send_signal(int pidfd, int signal) noexcept;
/// Its status if it has ended; collects it then.
/// Errors: std::system_error.
std::optional<exit_status> collect(int pidfd);

}  // namespace grove::io::detail
