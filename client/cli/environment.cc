// SPDX-License-Identifier: Apache-2.0
#include "client/cli/environment.h"

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

#include "base/exit_codes.h"
#include "base/nearest.h"
#include "base/text.h"
#include "base/values.h"
#include "base/version.h"
#include "client/address.h"

namespace grove::cli {
namespace {

constexpr std::string_view server_name = "GROVE_SERVER";

/// Whether somebody meant GROVE_SERVER by a name. What follows GROVE_ is compared alone: with it in front, settings of the
/// server, which may be exported in the same shell, would be near (GROVE_WORKERS), as would links of Kubernetes.
[[nodiscard]] bool is_slip(std::string_view name) {
  constexpr std::size_t prefix = std::string_view{"GROVE_"}.size();
  if (name == server_name || name.size() <= prefix) return false;
  const std::array<std::string_view, 1> server{server_name.substr(prefix)};
  const auto same_letter = [](char a, char b) { return a == b || (a >= 'a' && a <= 'z' && a - 'a' + 'A' == b); };
  return std::ranges::equal(name.substr(0, prefix), server_name.substr(0, prefix), same_letter) &&
         !nearest(name.substr(prefix), server).empty();
}

/// The server's address and where it comes from.
/// Errors: wrong_usage for a variable that was meant to be GROVE_SERVER: the command would go to another server.
[[nodiscard]] std::pair<std::string, const char*> server_of(const common_options& options, const environment& where) {
  if (!options.server.empty()) return {options.server, "--server"};
  const auto slip = std::ranges::find_if(where.variable_names, is_slip);
  if (slip != where.variable_names.end()) {
    throw wrong_usage("environment variable " + *slip + ": there is no such setting; did you mean GROVE_SERVER?");
  }
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

command_error call_failed(const status& failure, outcome known, const actor_target& target) {
  if (failure.code() != status_code::not_found || known != outcome::executed) return call_failed(failure, known);
  return {exit_codes::call_failed,
          failure.to_string() + " (said by the handler of " + target.type + "/" + target.key + ")"};
}

void require_utf8(std::string_view what, std::string_view argument) {
  if (!is_utf8(argument)) throw wrong_usage(no_utf8_text(what, argument));
}

actor_target parse_target(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == text.size()) {
    throw wrong_usage("\"" + std::string{text} + "\" is no TYPE/KEY; for example grove.Counter/visits");
  }
  require_utf8("the type", text.substr(0, slash));
  require_utf8("the key", text.substr(slash + 1));
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
  if (options.timeout.count() != 0) {
    const auto timeout = std::chrono::ceil<std::chrono::milliseconds>(options.timeout);
    made.call_timeout = timeout;
    made.connection.connect_timeout = std::min(made.connection.connect_timeout, timeout);
  }
  return made;
}

call_options call_options_of(const common_options& options) {
  call_options made;
  made.timeout = options.timeout;
  return made;
}

call_options call_options_of(const common_options& options, steady_time begun_at) {
  call_options made = call_options_of(options);
  if (made.timeout.count() == 0) return made;
  made.timeout -= std::chrono::floor<std::chrono::microseconds>(std::chrono::steady_clock::now() - begun_at);
  if (made.timeout.count() > 0) return made;
  throw call_failed({status_code::deadline_exceeded, "the " + duration_value(options.timeout) +
                                                         " of --timeout were over before the call could be sent"},
                    outcome::not_executed);
}

command_error unreachable(const status& why, const common_options& options, const environment& where) {
  const auto [text, source] = server_of(options, where);
  return {exit_codes::server_unreachable,
          why.to_string(),
          {"  tried: " + text + " (" + source + ")", "  another server: --server HOST:PORT or GROVE_SERVER=HOST:PORT",
           "  to start one here: grove-server"}};
}

void reach(client& server, const common_options& options, const environment& where) {
  const status reached = server.connect();
  if (!reached.ok()) throw unreachable(reached, options, where);
}

}  // namespace grove::cli
