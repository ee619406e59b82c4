// SPDX-License-Identifier: Apache-2.0
#include "server/service_links.h"

#include <algorithm>

namespace grove::server {
namespace {

/// The name is `word`, or begins with it and an underscore.
bool is_or_continues(std::string_view name, std::string_view word) noexcept {
  return name.starts_with(word) && (name.size() == word.size() || name[word.size()] == '_');
}

bool is_all(std::string_view text, bool (*allowed)(char)) noexcept {
  return !text.empty() && std::ranges::all_of(text, allowed);
}
bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
bool is_number(std::string_view text) noexcept {
  return is_all(text, is_digit);
}
bool is_address(std::string_view text) noexcept {
  return is_all(text, [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == '.' || c == ':';
  });
}
bool is_protocol(std::string_view text) noexcept {
  return text == "tcp" || text == "udp" || text == "sctp";
}
bool is_url(std::string_view text) noexcept {
  return is_protocol(text.substr(0, text.find("://"))) && text.size() > 7;
}

/// What follows "PORT" in the name, and the value that it then has: nothing or "_7400_TCP" and a URL, "_7400_TCP_ADDR" and
/// an address, and so on.
bool is_port_link(std::string_view rest, std::string_view value) noexcept {
  if (rest.empty()) return is_url(value);
  if (!rest.starts_with('_')) return false;
  rest.remove_prefix(1);
  const auto digits = static_cast<std::size_t>(std::ranges::find_if_not(rest, is_digit) - rest.begin());
  if (digits == 0 || digits == rest.size() || rest[digits] != '_') return false;
  rest.remove_prefix(digits + 1);
  for (const std::string_view protocol : {"TCP", "UDP", "SCTP"}) {
    if (!is_or_continues(rest, protocol)) continue;
    rest.remove_prefix(protocol.size());
    if (rest.empty()) return is_url(value);
    if (rest == "_PROTO") return is_protocol(value);
    if (rest == "_PORT") return is_number(value);
    return rest == "_ADDR" && is_address(value);
  }
  return false;
}

}  // namespace

bool is_service_link(std::string_view name, std::string_view value) noexcept {
  constexpr std::string_view ours = "GROVE_";
  if (!name.starts_with(ours)) return false;
  // The Service's own name may go on, and may have any of the words below in it: each border of words is tried.
  for (std::size_t at = ours.size(); at < name.size(); ++at) {
    if (name[at - 1] != '_') continue;
    const std::string_view rest = name.substr(at);
    if (rest == "SERVICE_HOST" && is_address(value)) return true;
    if (is_or_continues(rest, "SERVICE_PORT") && is_number(value)) return true;
    if (rest.starts_with("PORT") && is_port_link(rest.substr(4), value)) return true;
  }
  return false;
}

}  // namespace grove::server
