// SPDX-License-Identifier: Apache-2.0
#include "base/values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>

namespace grove {
namespace {

struct unit {
  std::string_view name;
  std::uint64_t factor;
};

// The largest first, as they are written. The one without a name is only read.
constexpr std::array<unit, 6> duration_units{
    {{"h", 3'600'000'000}, {"m", 60'000'000}, {"s", 1'000'000}, {"ms", 1'000}, {"us", 1}, {"", 1'000'000}}};
constexpr std::array<unit, 4> size_units{{{"GiB", 1U << 30U}, {"MiB", 1U << 20U}, {"KiB", 1U << 10U}, {"", 1}}};

// Up to it, a double tells all whole numbers apart, with room for the rounding of a product.
constexpr double exact_max = 1e15;

template <typename Number>
struct parsed {
  Number number{};
  const unit* with = nullptr;  ///< Null: the text is no number with a unit.
};

template <typename Number, std::size_t Size>
parsed<Number> number_with_unit(std::string_view text, const std::array<unit, Size>& units) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if constexpr (std::is_floating_point_v<Number>) {
    if (error == std::errc{} && !std::isfinite(number)) return {};  // The words for these are no numbers.
    // Which way it is beyond all doubles is not said.
    if (error == std::errc::result_out_of_range) number = std::strtod(std::string{text}.c_str(), nullptr);
    if (error == std::errc::invalid_argument) return {};
  } else if (error != std::errc{}) {
    return {};
  }
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  for (const unit& candidate : units) {
    if (text == candidate.name) return {number, &candidate};
  }
  return {};
}

/// The product of a number and its unit, exact below `exact_max`; empty for what is no number or below nothing.
template <std::size_t Size>
std::optional<double> fraction_with_unit(std::string_view text, const std::array<unit, Size>& units) {
  const auto [number, with] = number_with_unit<double>(text, units);
  if (with == nullptr) return std::nullopt;
  const double product = number * static_cast<double>(with->factor);
  if (!(product >= 0)) return std::nullopt;
  return product;
}

/// "0x40", "0o100" and "0b1000000", as TOML has them.
std::optional<std::uint64_t> whole_of_other_base(std::string_view text) {
  struct base {
    std::string_view prefix;
    int value;
  };
  for (const base& one : {base{"0x", 16}, base{"0o", 8}, base{"0b", 2}}) {
    if (!text.starts_with(one.prefix)) continue;
    std::int64_t number = 0;
    const char* const begin = text.data() + one.prefix.size();
    const char* const end = text.data() + text.size();
    const auto [behind, error] = std::from_chars(begin, end, number, one.value);
    if (error != std::errc{} || behind != end || *begin == '-') return std::nullopt;
    return static_cast<std::uint64_t>(number);
  }
  return std::nullopt;
}

template <std::size_t Size>
std::string in_largest_unit(std::uint64_t value, const std::array<unit, Size>& units) {
  const unit* best = &units[Size - 1];
  for (const unit& candidate : units) {
    if (value == 0 || value % candidate.factor != 0) continue;
    best = &candidate;
    break;
  }
  return std::to_string(value / best->factor).append(best->name);
}

std::string number_text(const char* format, double number) {
  std::array<char, 32> text{};
  const int size = std::snprintf(text.data(), text.size(), format, number);
  return {text.data(), static_cast<std::size_t>(size)};
}

}  // namespace

std::optional<std::chrono::microseconds> parse_duration(std::string_view text) {
  const auto number = fraction_with_unit(text, duration_units);
  if (!number) return std::nullopt;
  return std::min(std::chrono::microseconds{std::llround(std::min(*number, exact_max))}, longest_duration);
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  if (const auto whole = whole_of_other_base(text)) return whole;
  if (const auto [number, with] = number_with_unit<std::uint64_t>(text, size_units); with != nullptr) {
    if (number > std::uint64_t{std::numeric_limits<std::int64_t>::max()} / with->factor) return std::nullopt;
    return number * with->factor;
  }
  const auto number = fraction_with_unit(text, size_units);
  if (!number || *number >= exact_max || *number != std::floor(*number)) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

std::optional<std::int64_t> parse_integer(std::string_view text) noexcept {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string duration_value(std::chrono::microseconds value) {
  if (value.count() == 0) return "0s";
  return in_largest_unit(static_cast<std::uint64_t>(value.count()), duration_units);
}

std::string size_value(std::uint64_t value) {
  return in_largest_unit(value, size_units);
}

std::string spoken_duration(std::chrono::nanoseconds value) {
  const double seconds = std::chrono::duration<double>(value).count();
  if (seconds < 0.9995) return number_text("%.0f ms", seconds * 1e3);
  if (seconds < 99.95) return number_text("%.3g s", seconds);
  if (seconds < 5'400) return number_text("%.0f min", seconds / 60);
  return number_text("%.1f h", seconds / 3'600);
}

std::string counted(std::uint64_t count, std::string_view noun) {
  return std::to_string(count).append(" ").append(noun).append(count == 1 ? "" : "s");
}

}  // namespace grove
