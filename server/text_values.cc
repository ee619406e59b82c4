// SPDX-License-Identifier: Apache-2.0
#include "server/text_values.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace grove::server {
namespace {

struct unit {
  std::string_view name;
  std::uint64_t factor;
};

/// A whole number followed by one of `units`, without a space between; empty when it does not fit 63 bits.
template <std::size_t Size>
std::optional<std::uint64_t> number_with_unit(std::string_view text, const std::array<unit, Size>& units) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  for (const unit& candidate : units) {
    if (text != candidate.name) continue;
    if (number > std::uint64_t{std::numeric_limits<std::int64_t>::max()} / candidate.factor) return std::nullopt;
    return number * candidate.factor;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  static constexpr std::array<unit, 4> units{{{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}}};
  const auto number = number_with_unit(text, units);
  // A year is more than anybody waits, and keeps later sums of durations far from overflow.
  if (!number || *number > 31'536'000'000ULL) return std::nullopt;
  return std::chrono::milliseconds{*number};
}

std::optional<std::uint64_t> parse_count(std::string_view text) {
  static constexpr std::array<unit, 4> units{{{"", 1}, {"KiB", 1U << 10U}, {"MiB", 1U << 20U}, {"GiB", 1U << 30U}}};
  return number_with_unit(text, units);
}

std::string duration_value(std::chrono::milliseconds value) {
  const auto count = value.count();
  if (count != 0 && count % 3'600'000 == 0) return fmt::format("{}h", count / 3'600'000);
  if (count != 0 && count % 60'000 == 0) return fmt::format("{}m", count / 60'000);
  if (count % 1'000 == 0) return fmt::format("{}s", count / 1'000);
  return fmt::format("{}ms", count);
}

std::string bytes_value(std::uint64_t value) {
  const auto whole = [value](unsigned shift) { return value != 0 && value % (std::uint64_t{1} << shift) == 0; };
  if (whole(30)) return fmt::format("{}GiB", value >> 30U);
  if (whole(20)) return fmt::format("{}MiB", value >> 20U);
  if (whole(10)) return fmt::format("{}KiB", value >> 10U);
  return fmt::format("{}", value);
}

std::string spoken_duration(std::chrono::nanoseconds value) {
  const double seconds = std::chrono::duration<double>(value).count();
  if (seconds < 0.9995) return fmt::format("{:.0f} ms", seconds * 1e3);
  if (seconds < 99.95) return fmt::format("{:.3g} s", seconds);
  if (seconds < 5'400) return fmt::format("{:.0f} min", seconds / 60);
  return fmt::format("{:.1f} h", seconds / 3'600);
}

std::string counted(std::uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string host_port::to_string() const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port) : fmt::format("[{}]:{}", host, port);
}

std::optional<host_port> parse_host_port(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find_first_of(":[]") != std::string_view::npos) {
    return std::nullopt;
  }
  if (host.empty() || host.find_first_of(" \t\r\n/") != std::string_view::npos) return std::nullopt;
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error != std::errc{} || end != port.data() + port.size()) return std::nullopt;
  return host_port{std::string{host}, number};
}

}  // namespace grove::server
