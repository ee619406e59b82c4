// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// How people write durations and sizes, in every program, file, variable and option of ours: a number, with a fraction
/// if need be, and its unit without a space. And how our programs write them back.
namespace grove {

/// The longest that is read, 31 years. It can be added to any clock's time without an overflow.
inline constexpr std::chrono::microseconds longest_duration = std::chrono::hours{277'777};

/// "250us", "500ms", "1.5s", "2m", "1h"; a number alone is seconds. Rounded to whole microseconds; what is longer than
/// `longest_duration` is that.
/// Errors: empty for anything else, and for less than nothing.
[[nodiscard]] std::optional<std::chrono::microseconds> parse_duration(std::string_view text);

/// "1048576", "64KiB", "1.5MiB", "1GiB"; a number alone is bytes, and may be "0x100000", "0o4000000" or "0b1000".
/// Errors: empty for anything else, for a part of a byte, and for what does not fit 63 bits.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);

/// "-12": digits alone, as machines write them. Errors: empty for anything else, and for what does not fit 64 bits.
[[nodiscard]] std::optional<std::int64_t> parse_integer(std::string_view text) noexcept;

/// What an error says that a value must be: "--timeout: 'soon' must be " + duration_form.
inline constexpr std::string_view duration_form = "a duration, such as 30s or 500ms";
inline constexpr std::string_view size_form = "a size, such as 2MiB";

/// The way `parse_duration` reads it, in the largest unit that is exact: "25s", "1m", "1500ms".
[[nodiscard]] std::string duration_value(std::chrono::microseconds value);

/// The way `parse_size` reads it, in the largest unit that is exact: "300", "64KiB", "1MiB".
[[nodiscard]] std::string size_value(std::uint64_t value);

/// For a person who wants to know about how long: "3 ms", "1.54 s", "4 min", "2.0 h".
[[nodiscard]] std::string spoken_duration(std::chrono::nanoseconds value);

/// "1 worker", "2 workers".
[[nodiscard]] std::string counted(std::uint64_t count, std::string_view noun);

}  // namespace grove
