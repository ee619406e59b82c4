// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/message.h>

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>

#include "base/status.h"

namespace grove::cli {

/// The JSON that an argument stands for: itself, "-" for all of `in`, "@file" for a file's content.
/// Errors: command_error (wrong usage) for a file that cannot be read, or more than 16 MiB.
[[nodiscard]] std::string json_from(const std::string& argument, std::istream& in);

/// Fills `into` from JSON, by protobuf's mapping (proto/json/mapping.h).
/// Errors: INVALID_ARGUMENT with the place, the field that does not fit and what would have been right, or the limit:
/// at most `nesting_max` messages within messages.
[[nodiscard]] status read_json(std::string_view json, std::uint32_t nesting_max, google::protobuf::Message& into);

/// One line of JSON, by protobuf's mapping; fields that have their default value are printed too.
/// Errors: command_error (INTERNAL) with the field's path for what JSON cannot say.
[[nodiscard]] std::string write_json(const google::protobuf::Message& message);

/// A string as JSON has it, quotes included.
[[nodiscard]] std::string json_string(std::string_view text);

}  // namespace grove::cli
