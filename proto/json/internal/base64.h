// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace grove::json_internal {

/// Bytes from base64 in the standard or the URL's alphabet, with padding or without; nothing when it is neither.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

/// Appends base64 in the standard alphabet, with padding.
void append_base64(std::string& to, std::string_view bytes);

}  // namespace grove::json_internal
