// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace grove::server {

/// Where a socket listens; a host is a name or an address, and port 0 lets the kernel choose.
struct host_port {
  std::string host;
  std::uint16_t port = 0;

  /// "127.0.0.1:7400", "[::1]:7400".
  [[nodiscard]] std::string to_string() const;

  friend bool operator==(const host_port&, const host_port&) = default;
};

/// "127.0.0.1:7400", "localhost:7400", "[::1]:7400". Empty for anything else, an absent host included.
[[nodiscard]] std::optional<host_port> parse_host_port(std::string_view text);

}  // namespace grove::server
