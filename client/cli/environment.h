// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <iosfwd>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/call.h"
#include "client/client.h"

namespace grove::cli {

/// Where a command reads and writes, and what it may do there. Tests have their own.
struct environment {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  /// On a terminal, unless NO_COLOR is set or TERM is "dumb".
  bool colour = false;
  int columns = 80;
  /// GROVE_SERVER, if it is set. Empty is as good as not set.
  std::optional<std::string> server_variable;
  /// The names of all variables, among which a slip for GROVE_SERVER is looked for.
  std::vector<std::string> variable_names = {};
};

/// What every command takes.
struct common_options {
  std::string server;                    ///< --server; empty: GROVE_SERVER, else the default.
  std::chrono::microseconds timeout{0};  ///< --timeout; 0: none was given.
  bool json = false;                     ///< --json
  bool compact = false;                  ///< --compact
};

/// Ends a command: `what()` goes to stderr after "grove: ", the lines of `advice` below it, `code` is the exit code. An
/// empty `what()` says nothing.
class command_error : public std::runtime_error {
 public:
  command_error(int code, const std::string& text, std::vector<std::string> advice = {})
      : std::runtime_error{text}, code_{code}, advice_{std::move(advice)} {}
  [[nodiscard]] int code() const noexcept { return code_; }
  [[nodiscard]] const std::vector<std::string>& advice() const noexcept { return advice_; }

 private:
  int code_;
  std::vector<std::string> advice_;
};

/// The command line is wrong: exit code 2.
[[nodiscard]] command_error wrong_usage(const std::string& text);

/// A call failed: exit code 1, the text begins with the status's code and says what is known of the effects.
[[nodiscard]] command_error call_failed(const status& failure, outcome known);

/// "TYPE/KEY" taken apart at the first '/'.
struct actor_target {
  std::string type;
  std::string key;
};
/// As `call_failed`, of a call to an actor: a NOT_FOUND of its handler is told from one of the server, which does not have
/// its type.
[[nodiscard]] command_error call_failed(const status& failure, outcome known, const actor_target& target);

/// Ends the command unless an argument is UTF-8, which the protocol's strings are: nothing else can arrive.
/// Errors: wrong_usage, with `what` it is: "the key".
void require_utf8(std::string_view what, std::string_view argument);

/// Errors: wrong_usage.
[[nodiscard]] actor_target parse_target(std::string_view text);

/// How to reach the server, from the options and the environment.
/// Errors: wrong_usage.
[[nodiscard]] client_options connection_of(const common_options& options, const environment& where);

/// The timeout that was asked for; 0 when none was.
[[nodiscard]] call_options call_options_of(const common_options& options);
/// What is left of it for a command that has begun at that time and does several things.
/// Errors: command_error (DEADLINE_EXCEEDED) when nothing is.
[[nodiscard]] call_options call_options_of(const common_options& options, steady_time begun_at);

/// Returns when the client has reached its server.
/// Errors: command_error with exit code 3 that says what was tried and how to start a server.
void reach(client& server, const common_options& options, const environment& where);
/// That error, for those who connect by themselves.
[[nodiscard]] command_error unreachable(const status& why, const common_options& options, const environment& where);

}  // namespace grove::cli
