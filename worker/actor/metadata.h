// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace grove {

/// The metadata of a call as its message carries it: names and values as worker/actor/text_pairs.h has them.
void append_call_metadata(std::string& to, std::string_view name, std::string_view value);

/// The value of the last entry of that name, as protobuf has it of maps.
/// Lifetime: the view is over `entries`.
[[nodiscard]] std::optional<std::string_view> find_metadata(std::string_view entries, std::string_view name) noexcept;

}  // namespace grove
