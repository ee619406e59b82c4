// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace grove {

inline constexpr std::size_t cache_line_bytes = 64;

}  // namespace grove
