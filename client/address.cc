// SPDX-License-Identifier: Apache-2.0
#include "client/address.h"

#include <charconv>

namespace grove {
namespace {

[[nodiscard]] status wrong(std::string_view text, std::string_view why) {
  std::string message = "the server's address \"";
  message.append(text).append("\" ").append(why).append("; it is HOST:PORT, for example 127.0.0.1:7400");
  return {status_code::invalid_argument, std::move(message)};
}

}  // namespace

std::string server_address::to_string() const {
  const bool six = host.find(':') != std::string::npos;
  return (six ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::variant<server_address, status> parse_server_address(std::string_view text) {
  if (text.empty()) return wrong(text, "is empty");
  server_address address;
  std::string_view host = text;
  std::string_view port;
  bool has_port = false;
  if (text.front() == '[') {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return wrong(text, "has no ']' after '['");
    host = text.substr(1, close - 1);
    const std::string_view rest = text.substr(close + 1);
    if (!rest.empty() && rest.front() != ':') return wrong(text, "has something other than :PORT after ']'");
    has_port = !rest.empty();
    if (has_port) port = rest.substr(1);
    if (host.empty()) return wrong(text, "has no host between '[' and ']'");
  } else if (const auto colon = text.rfind(':'); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
    has_port = true;
    if (host.find(':') != std::string_view::npos) {
      return wrong(text, "has more than one ':'; an IPv6 address goes into brackets, as in [::1]:7400");
    }
  }
  for (const char c : host) {
    if (c == '/' || c == ' ' || c == '@') return wrong(text, "has a character that no host name has");
  }
  if (!host.empty()) address.host = host;
  if (has_port) {
    unsigned number = 0;
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
    if (error != std::errc{} || end != port.data() + port.size() || number == 0 || number > 65'535) {
      return wrong(text, "has no port from 1 to 65535 after ':'");
    }
    address.port = static_cast<std::uint16_t>(number);
  }
  return address;
}

}  // namespace grove
