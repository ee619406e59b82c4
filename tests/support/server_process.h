// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/child_process.h"

namespace grove::test {

struct server_settings {
  unsigned workers = 2;
  std::vector<std::string> more;  ///< Further arguments.
  std::string listen = "127.0.0.1:0";
  int err_pipe_bytes = 0;        ///< What fits into its stderr while the test does not read; 0: what the kernel gives.
  std::string worker_program{};  ///< In place of the real one. Empty: that.
};

/// A real server, on ports that the kernel chose unless told otherwise; it serves when the constructor returns.
class server_process {
 public:
  explicit server_process(const server_settings& settings = {});

  [[nodiscard]] const std::string& address() const noexcept { return address_; }
  [[nodiscard]] const std::string& admin() const noexcept { return admin_; }
  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] child_process& process() noexcept { return *process_; }

  /// Runs the CLI against it: `cli({"call", "grove.Counter/x", "Add"})`.
  [[nodiscard]] finished_process cli(std::vector<std::string> arguments, const std::string& input = {}) const;

  /// The process ids of its workers, by slot, from the log.
  [[nodiscard]] pid_t worker_pid(unsigned slot) const;

  /// TERM, and the end.
  finished_process stop();

 private:
  std::unique_ptr<child_process> process_;
  std::string address_;
  std::string admin_;
};

[[nodiscard]] std::string cli_program();
[[nodiscard]] std::string server_program();
[[nodiscard]] std::string worker_program();

/// GET of the admin address: status line and body together.
[[nodiscard]] std::string http_get(const std::string& address, const std::string& path);

/// The same again and again until the answer has `text`; fails the test when it has not after a minute.
std::string wait_for_page(const std::string& admin, const std::string& path, const std::string& text);

}  // namespace grove::test
