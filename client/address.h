// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/status.h"

namespace grove {

inline constexpr std::uint16_t default_port = 7400;

/// Where a server listens.
struct server_address {
  std::string host = "127.0.0.1";
  std::uint16_t port = default_port;

  /// "127.0.0.1:7400", "[::1]:7400".
  [[nodiscard]] std::string to_string() const;
  friend bool operator==(const server_address&, const server_address&) = default;
};

/// Reads "HOST:PORT", "HOST" (port 7400), ":PORT" (this machine), "[IPV6]:PORT".
/// Errors: INVALID_ARGUMENT that says what is wrong with which text.
[[nodiscard]] std::variant<server_address, status> parse_server_address(std::string_view text);

}  // namespace grove
