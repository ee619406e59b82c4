// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace grove {

/// What an error says of something that is too large: "the key has 257 bytes; key_bytes allows 256".
[[nodiscard]] std::string over_limit_text(std::string_view what, std::size_t bytes, std::string_view limit,
                                          std::size_t allowed);

/// What an error says of a call that asks for more time than it may: "the call asks for 1h; call_microseconds_max allows
/// 10m".
[[nodiscard]] std::string over_time_limit_text(std::chrono::microseconds asked, std::chrono::microseconds allowed);

}  // namespace grove
