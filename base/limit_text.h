// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace grove {

/// The setting of a limit that clients are told of at hello: "key_bytes" is "limits.key-bytes-max".
[[nodiscard]] std::string setting_of_limit(std::string_view limit);

/// The end of an error about such a limit, with both of its names: the one for who calls and the one for who runs the
/// server. "key_bytes allows 256 (limits.key-bytes-max)".
[[nodiscard]] std::string limit_text(std::string_view limit, std::size_t allowed);

/// What an error says of something that is too large: "the key has 257 bytes; " and the `limit_text`.
[[nodiscard]] std::string over_limit_text(std::string_view what, std::size_t bytes, std::string_view limit,
                                          std::size_t allowed);

/// What an error says of a call that asks for more time than it may: "the call asks for 1h; call_microseconds_max allows
/// 10m (limits.call-deadline-max)".
[[nodiscard]] std::string over_time_limit_text(std::chrono::microseconds asked, std::chrono::microseconds allowed);

}  // namespace grove
