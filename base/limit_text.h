// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace grove {

/// What an error says of something that is too large: "the key has 257 bytes; key_bytes allows 256".
[[nodiscard]] std::string over_limit_text(std::string_view what, std::size_t bytes, std::string_view limit,
                                          std::size_t allowed);

}  // namespace grove
