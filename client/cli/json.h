// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/message.h>

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>

#include "base/status.h"

namespace grove::cli {

/// The JSON that an argument stands for: itself, "-" for all of `in`, "@file" for a file's content, "{}" when it is
/// empty.
/// Errors: command_error (wrong usage) for a file that cannot be read, or more than 16 MiB.
[[nodiscard]] std::string json_from(const std::string& argument, std::istream& in);

/// Fills `into` from JSON, by protobuf's mapping.
/// Errors: INVALID_ARGUMENT that names the field that does not fit and what would have been right, or the limit: at
/// most `nesting_max` messages within messages.
[[nodiscard]] status read_json(std::string_view json, std::uint32_t nesting_max, google::protobuf::Message& into);

/// One line of JSON, by protobuf's mapping; fields that have their default value are printed too.
[[nodiscard]] std::string write_json(const google::protobuf::Message& message);

/// How deep objects and lists are nested, strings left aside.
struct json_depth {
  std::uint32_t objects = 0;
  std::uint32_t all = 0;
};
[[nodiscard]] json_depth depth_of(std::string_view json) noexcept;

/// A string as JSON has it, quotes included.
[[nodiscard]] std::string json_string(std::string_view text);

}  // namespace grove::cli
