// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "server/exit_status.h"

/// The border to the kernel's processes: nothing here knows what a worker is.
namespace grove::server {

/// A descriptor of ours and the number under which the child finds it.
struct passed_fd {
  int source;
  int number;
};

struct spawn_request {
  std::string program;                 ///< A path.
  std::vector<std::string> arguments;  ///< Without the program's own name.
  std::vector<passed_fd> descriptors;  ///< No source may be a number of the list: keep sources high.
  int close_from = 3;                  ///< Every descriptor from here on is closed, whoever opened it.
};

struct child_process {
  int pid = 0;
  unique_fd pidfd;  ///< Readable when the process has ended.
};

/// Starts a program with our environment, an empty signal mask, default signal dispositions, /dev/null as stdin and a
/// process group of its own, so that a Ctrl-C in the terminal reaches only the supervisor.
/// Errors: std::system_error, which names the program.
[[nodiscard]] child_process spawn_process(const spawn_request& request);

/// Kills a child that has not been reaped, and waits for its end.
void end_process(int pid) noexcept;

/// Reaps the process when it has ended.
[[nodiscard]] std::optional<exit_status> try_reap(const unique_fd& pidfd);

/// Does nothing when the process has ended: a pidfd cannot hit a stranger with the same pid.
void send_signal(const unique_fd& pidfd, int signal) noexcept;

/// The same open file under a number of at least `floor`, close-on-exec. Errors: std::system_error.
[[nodiscard]] unique_fd move_above(unique_fd fd, int floor);

/// Raises the soft limit of open descriptors to the hard one, for this process and its children; returns it.
std::uint64_t raise_descriptor_limit() noexcept;

/// Forgets what the parent left us: blocked signals, an ignored SIGCHLD (waitid would not work); ignores SIGPIPE.
void reset_signals() noexcept;

/// The worker program: $GROVE_TEST_WORKER_PROGRAM, else `grove-worker` beside our own program, else in ../libexec/grove/.
/// Errors: std::runtime_error that names every place where it is not.
[[nodiscard]] std::string find_worker_program();

}  // namespace grove::server
