// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace grove::server {

/// How a process ended, as waitid tells it.
struct exit_status {
  enum class kind : std::uint8_t { exited, signalled };

  kind how = kind::exited;
  int value = 0;  ///< The exit code or the signal's number.
  bool dumped_core = false;

  [[nodiscard]] static exit_status exited(int code) noexcept { return {kind::exited, code, false}; }
  [[nodiscard]] static exit_status signalled(int signal, bool dumped_core = false) noexcept {
    return {kind::signalled, signal, dumped_core};
  }
};

/// "exited with 70 (internal failure)", "died of signal 9 (SIGKILL)", "died of signal 6 (SIGABRT), core dumped".
[[nodiscard]] std::string describe(const exit_status& status);

/// What a person should look at next, or empty. `by_us` says that the supervisor itself had sent the signal.
[[nodiscard]] std::string_view hint(const exit_status& status, bool by_us) noexcept;

/// A worker that ends so would end so again: it is not restarted.
[[nodiscard]] bool is_final(const exit_status& status) noexcept;

/// "SIGKILL"; "signal 99" for one without a name.
[[nodiscard]] std::string signal_name(int signal);

}  // namespace grove::server
