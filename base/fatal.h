// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <string_view>

namespace grove {

/// Says `text` and the stack on stderr and aborts the process: for what a program has done and must not do, where no
/// exception can tell it. What Grove itself must not do is a GROVE_CHECK.
/// Affinity: any thread.
[[noreturn]] void fatal(std::string_view text) noexcept;

/// std::current_exception() where everything is caught and handed on, and never null. What pthread_cancel() and
/// pthread_exit() unwind a thread with has no object that could be handed on: it is fatal, and named.
/// Affinity: in a `catch (...)`.
[[nodiscard]] std::exception_ptr caught_error() noexcept;

}  // namespace grove
