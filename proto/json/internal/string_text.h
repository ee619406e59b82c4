// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace grove::json_internal {

/// Appends a JSON string, as `append_json_string` says.
void append_string(std::string& to, std::string_view text);

/// The beginning of a text for an error, at most `bytes_max` bytes, cut between characters and marked "...".
[[nodiscard]] std::string beginning_of(std::string_view text, std::size_t bytes_max);

}  // namespace grove::json_internal
