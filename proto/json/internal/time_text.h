// SPDX-License-Identifier: Apache-2.0
#pragma once

// Texts of google.protobuf.Timestamp, Duration and FieldMask.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace grove::json_internal {

/// Seconds and nanoseconds, as both messages have them.
struct time_parts {
  std::int64_t seconds = 0;
  std::int32_t nanos = 0;
  friend bool operator==(const time_parts&, const time_parts&) = default;
};

/// RFC 3339 in the years 1 to 9999, with 'Z' or an offset: "2026-01-02T03:04:05.678Z". Nothing when it is none.
[[nodiscard]] std::optional<time_parts> timestamp_from(std::string_view text) noexcept;
/// Appends it in UTC, with 0, 3, 6 or 9 digits after the point. False: it is outside of these years, or nanos are.
[[nodiscard]] bool append_timestamp(std::string& to, time_parts time);

/// "-1.5s", up to 315,576,000,000 seconds. Nothing when it is none.
[[nodiscard]] std::optional<time_parts> duration_from(std::string_view text) noexcept;
/// False: it is longer than that, or its two parts do not have the same sign.
[[nodiscard]] bool append_duration(std::string& to, time_parts time);

/// A path of a FieldMask from its form in JSON: "fooBar.baz" is foo_bar.baz.
[[nodiscard]] std::string field_mask_path_from(std::string_view text);
/// Appends a path in that form. False: its capitals have no form there.
[[nodiscard]] bool append_field_mask_path(std::string& to, std::string_view path);

}  // namespace grove::json_internal
