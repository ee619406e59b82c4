// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fd.h"

namespace grove::server {

/// A real grove-server process with fake workers, on ports that the kernel chooses. It is followed through its log:
/// every wait is for a line or for the end, and fails with the whole log when it takes too long.
class started_server {
 public:
  using variables = std::vector<std::pair<std::string, std::string>>;

  explicit started_server(variables environment = {}, std::vector<std::string> arguments = {});
  /// Kills it, if it still lives.
  ~started_server();
  started_server(const started_server&) = delete;
  started_server& operator=(const started_server&) = delete;

  /// Waits for the next line, from where the last wait ended, that contains `text`, and returns it.
  /// Errors: std::runtime_error.
  std::string wait_for(std::string_view text);

  /// Waits until nobody writes to the log any more: the supervisor and all of its workers have ended.
  void wait_for_silence();

  /// Waits for the end and returns the exit code, or 128 + the signal.
  int wait_for_exit();

  void signal(int number) const;

  [[nodiscard]] int pid() const noexcept { return pid_; }
  [[nodiscard]] const std::string& log() const noexcept { return log_; }

  /// The admin's port, from the ready line: wait for that first.
  [[nodiscard]] std::uint16_t admin_port() const;
  [[nodiscard]] std::uint16_t client_port() const;

  /// The pid that the log last named for a worker.
  [[nodiscard]] int worker_pid(std::uint32_t slot) const;

  /// Sends bytes to the admin and returns everything that it answers until it closes.
  [[nodiscard]] std::string admin(std::string_view request) const;
  [[nodiscard]] std::string get(std::string_view path) const;

 private:
  /// Reads what comes next into the log; false at the end of the stream.
  bool read_more(std::chrono::steady_clock::time_point deadline);

  int pid_ = 0;
  unique_fd pidfd_;
  unique_fd output_;
  std::string log_;
  std::size_t seen_ = 0;
  bool reaped_ = false;
};

/// A connected TCP socket to 127.0.0.1.
[[nodiscard]] unique_fd connect_to(std::uint16_t port);

}  // namespace grove::server
