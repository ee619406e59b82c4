// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace grove::base::detail {

/// Reports a broken invariant on stderr and aborts the process; the supervisor restarts a worker that dies
/// so.
[[noreturn]] void check_failed(std::string_view condition, std::string_view text, const char* file, int line,
                               const char* function) noexcept;

}  // namespace grove::base::detail

/// Stops the process when `condition` is false, in every build: for bugs in Grove, never for bad input.
/// `GROVE_CHECK(condition)` or `GROVE_CHECK(condition, "what it means")`.
#define GROVE_CHECK(condition, ...)                                                                      \
  do {                                                                                                   \
    if (!(condition)) [[unlikely]] {                                                                     \
      /* Not std::source_location, which Clang 14 has not got. */                                        \
      ::grove::base::detail::check_failed(#condition, std::string_view{__VA_ARGS__}, __FILE__, __LINE__, \
                                          static_cast<const char*>(__func__));                           \
    }                                                                                                    \
  } while (false)

/// Whether `GROVE_DEBUG_CHECK` looks: not in an optimised build (NDEBUG), unless a sanitizer watches it.
#if !defined(NDEBUG) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define GROVE_DEBUG_CHECKS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define GROVE_DEBUG_CHECKS 1
#endif
#endif
#ifndef GROVE_DEBUG_CHECKS
#define GROVE_DEBUG_CHECKS 0
#endif

/// The same for hot paths: where nothing is checked the condition is compiled and never evaluated, so it must have no
/// effects that anything depends on.
#if GROVE_DEBUG_CHECKS
#define GROVE_DEBUG_CHECK(condition, ...) GROVE_CHECK(condition __VA_OPT__(, ) __VA_ARGS__)
#else
#define GROVE_DEBUG_CHECK(condition, ...)    \
  do {                                       \
    if (false) static_cast<void>(condition); \
  } while (false)
#endif
