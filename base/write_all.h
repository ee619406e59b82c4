// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace grove {

/// Writes all of `bytes` to a descriptor, however small the pieces that it takes; one that is non-blocking is waited for.
/// Returns 0, or the errno of the write that failed: what was written before stays written.
[[nodiscard]] int write_all(int fd, std::string_view bytes) noexcept;

}  // namespace grove
