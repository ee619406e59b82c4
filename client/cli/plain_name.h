// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string_view>

namespace grove::cli {

/// Whether a name, which a server may give to its types and methods as it likes, is the same for every shell as it is for
/// us: letters, digits, '_', '.' and '-', the first of them a letter or '_'. Such are all names of protobuf.
[[nodiscard]] constexpr bool is_plain_name(std::string_view name) noexcept {
  const auto begins = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto goes_on = [&](char c) { return begins(c) || (c >= '0' && c <= '9') || c == '.' || c == '-'; };
  return !name.empty() && begins(name.front()) && std::ranges::all_of(name, goes_on);
}

}  // namespace grove::cli
