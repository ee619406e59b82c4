// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/fd.h"

namespace grove::test {

/// How a process ended.
struct exit_result {
  int code = -1;   ///< Its exit code, or -1.
  int signal = 0;  ///< The signal that it died of, or 0.
  friend bool operator==(const exit_result&, const exit_result&) = default;
};

struct finished_process {
  exit_result exit;
  std::string out;
  std::string err;
};

struct process_options {
  std::vector<std::string> arguments;                            ///< The program first.
  std::vector<std::pair<std::string, std::string>> environment;  ///< Beside the test's own.
  std::string input;                                             ///< Its standard input.
  int err_pipe_bytes = 0;  ///< What fits into its stderr; 0: what the kernel gives.
};

/// A program under test: its output is kept, and it is killed when this object goes away.
class child_process {
 public:
  explicit child_process(const process_options& options);
  ~child_process();
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  void signal(int number) const;

  /// Reads its stderr until a line contains `text`, and returns that line. Fails the test when the process ends or
  /// `within` passes without one; what was printed is in the failure.
  std::string wait_for_line(const std::string& text, std::chrono::seconds within = std::chrono::seconds{60});

  /// Whether a line with `text` has been read so far, by any wait.
  [[nodiscard]] const std::string& error_text() const noexcept { return err_; }

  /// Waits for its end; everything that it printed is in the result. Fails the test, and kills it, after `within`.
  finished_process wait(std::chrono::seconds within = std::chrono::seconds{180});

 private:
  bool read_some(std::chrono::steady_clock::time_point deadline);

  pid_t pid_ = -1;
  unique_fd out_fd_;
  unique_fd err_fd_;
  std::string out_;
  std::string err_;
  std::size_t searched_ = 0;
  std::optional<exit_result> exit_;
};

/// Runs a program to its end.
[[nodiscard]] finished_process run(const process_options& options);

}  // namespace grove::test
