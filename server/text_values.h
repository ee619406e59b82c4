// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// How values are written by the people who configure a server, and how the log writes them back.
namespace grove::server {

/// "500ms", "25s", "1m", "2h"; a number alone has no unit and is refused. Empty for anything else.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// "1048576", "64KiB", "1MiB", "1GiB". Empty for anything else.
[[nodiscard]] std::optional<std::uint64_t> parse_count(std::string_view text);

/// The way `parse_duration` reads it: "25s", "1m", "1500ms".
[[nodiscard]] std::string duration_value(std::chrono::milliseconds value);

/// The way `parse_count` reads it: "300", "64KiB", "1MiB".
[[nodiscard]] std::string bytes_value(std::uint64_t value);

/// For a person: "3 ms", "1.5 s", "4 min", "2 h".
[[nodiscard]] std::string spoken_duration(std::chrono::nanoseconds value);

/// "1 worker", "2 workers".
[[nodiscard]] std::string counted(std::uint64_t count, std::string_view noun);

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
