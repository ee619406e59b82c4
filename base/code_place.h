// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace grove {

/// Writes where a code address lies, "module(function+0x1f) [0x55d0c0ffee]", with the mangled name of the function if its
/// module exports it, and else with the offset in the module alone, which addr2line takes. Returns how many of the `size`
/// bytes at `into` it took.
/// Affinity: async-signal-safe: without a lock and without the heap, unlike dladdr() and backtrace_symbols_fd(), which
/// wait for whoever loads a library meanwhile.
[[nodiscard]] std::size_t write_code_place(const void* address, char* into, std::size_t size) noexcept;

}  // namespace grove
