// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <source_location>
#include <string_view>

namespace grove::base::detail {

/// Reports a broken invariant on stderr and aborts the process; the supervisor restarts a worker that dies
/// so.
[[noreturn]] void check_failed(std::string_view condition, std::string_view text,
                               std::source_location where) noexcept;

}  // namespace grove::base::detail

/// Stops the process when `condition` is false, in every build: for bugs in Grove, never for bad input.
/// `GROVE_CHECK(condition)` or `GROVE_CHECK(condition, "what it means")`.
#define GROVE_CHECK(condition, ...)                                                  \
  do {                                                                               \
    if (!(condition)) [[unlikely]] {                                                 \
      ::grove::base::detail::check_failed(#condition, std::string_view{__VA_ARGS__}, \
                                          std::source_location::current());          \
    }                                                                                \
  } while (false)
