// SPDX-License-Identifier: Apache-2.0
#include "server/service_links.h"

#include <algorithm>
#include <array>

namespace grove::server {
namespace {

/// The name is `word`, or begins with it and an underscore.
bool is_or_continues(std::string_view name, std::string_view word) noexcept {
  return name.starts_with(word) && (name.size() == word.size() || name[word.size()] == '_');
}

/// What follows "PORT": nothing, or "_7400_TCP" and perhaps more: "_7400_TCP_ADDR".
bool is_port_and_protocol(std::string_view rest) noexcept {
  if (rest.empty()) return true;
  if (!rest.starts_with('_')) return false;
  rest.remove_prefix(1);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto digits = static_cast<std::size_t>(std::ranges::find_if_not(rest, is_digit) - rest.begin());
  if (digits == 0 || digits == rest.size() || rest[digits] != '_') return false;
  rest.remove_prefix(digits + 1);
  constexpr std::array<std::string_view, 3> protocols = {"TCP", "UDP", "SCTP"};
  return std::ranges::any_of(protocols, [rest](std::string_view protocol) { return is_or_continues(rest, protocol); });
}

}  // namespace

bool is_service_link(std::string_view name) noexcept {
  constexpr std::string_view ours = "GROVE_";
  if (!name.starts_with(ours)) return false;
  // The Service's own name may go on, and may have any of the words below in it: each border of words is tried.
  for (std::size_t at = ours.size(); at < name.size(); ++at) {
    if (name[at - 1] != '_') continue;
    const std::string_view rest = name.substr(at);
    if (rest == "SERVICE_HOST" || is_or_continues(rest, "SERVICE_PORT")) return true;
    if (rest.starts_with("PORT") && is_port_and_protocol(rest.substr(4))) return true;
  }
  return false;
}

}  // namespace grove::server
