// SPDX-License-Identifier: Apache-2.0
#include "client/cli/environment.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>
#include <variant>

#include "base/exit_codes.h"
#include "base/version.h"
#include "client/address.h"

namespace grove::cli {
namespace {

/// The server's address and where it comes from.
[[nodiscard]] std::pair<std::string, const char*> server_of(const common_options& options, const environment& where) {
  if (!options.server.empty()) return {options.server, "--server"};
  if (where.server_variable && !where.server_variable->empty()) return {*where.server_variable, "GROVE_SERVER"};
  return {server_address{}.to_string(), "the default"};
}

}  // namespace

command_error wrong_usage(const std::string& text) {
  return {exit_codes::wrong_usage, text};
}

command_error call_failed(const status& failure, outcome known) {
  std::string text = failure.to_string();
  // A wrong call need not be told that it did not run; one that came at the wrong time does.
  const bool of_the_moment = failure.code() == status_code::unavailable || failure.code() == status_code::cancelled ||
                             failure.code() == status_code::deadline_exceeded ||
                             failure.code() == status_code::resource_exhausted;
  if (known == outcome::not_executed && of_the_moment) text += " (it did not run)";
  if (known == outcome::unknown || known == outcome::unspecified) text += " (it may have run)";
  return {exit_codes::call_failed, text};
}

std::chrono::microseconds parse_duration(std::string_view text, std::string_view what) {
  static constexpr std::array<std::pair<std::string_view, double>, 6> units = {
      {{"us", 1}, {"ms", 1e3}, {"s", 1e6}, {"", 1e6}, {"m", 60e6}, {"h", 3600e6}}};
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  for (const auto& [name, microseconds] : units) {
    const double value = number * microseconds;
    if (error == std::errc{} && unit == name && value >= 0 && value < 1e15) {
      return std::chrono::microseconds{static_cast<std::int64_t>(value)};
    }
  }
  throw wrong_usage(std::string{what} + ": \"" + std::string{text} +
                    "\" is no time; it is a number with us, ms, s, m or h, for example 500ms");
}

actor_target parse_target(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == text.size()) {
    throw wrong_usage("\"" + std::string{text} + "\" is no TYPE/KEY; for example grove.Counter/visits");
  }
  return {std::string{text.substr(0, slash)}, std::string{text.substr(slash + 1)}};
}

client_options connection_of(const common_options& options, const environment& where) {
  const auto [text, source] = server_of(options, where);
  const auto address = parse_server_address(text);
  if (const auto* wrong = std::get_if<status>(&address)) {
    throw wrong_usage(std::string{source} + ": " + wrong->message());
  }
  client_options made;
  made.servers = {std::get<server_address>(address)};
  made.connection.client_name = std::string{"grove/"}.append(version);
  if (!options.timeout.empty()) {
    if (parse_duration(options.timeout, "--timeout").count() == 0) {
      throw wrong_usage("--timeout: it must be more than 0");
    }
    const auto timeout = std::chrono::ceil<std::chrono::milliseconds>(parse_duration(options.timeout, "--timeout"));
    made.call_timeout = timeout;
    made.connection.connect_timeout = std::min(made.connection.connect_timeout, timeout);
  }
  return made;
}

call_options call_options_of(const common_options& options) {
  call_options made;
  if (!options.timeout.empty()) made.timeout = parse_duration(options.timeout, "--timeout");
  return made;
}

command_error unreachable(const status& why, const common_options& options, const environment& where) {
  const auto [text, source] = server_of(options, where);
  return {exit_codes::server_unreachable, why.to_string() + "\n  tried: " + text + " (" + source +
                                              ")\n  another server: --server HOST:PORT or "
                                              "GROVE_SERVER=HOST:PORT\n  to start one here: grove-server"};
}

void reach(client& server, const common_options& options, const environment& where) {
  const status reached = server.connect();
  if (!reached.ok()) throw unreachable(reached, options, where);
}

}  // namespace grove::cli
