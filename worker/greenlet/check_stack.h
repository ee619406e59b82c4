// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "worker/greenlet/errors.h"
#include "worker/greenlet/greenlet.h"

namespace grove {

/// Bytes left on the running greenlet's stack (or the thread's, in a main greenlet).
[[nodiscard]] std::size_t stack_remaining() noexcept;

namespace greenlets::detail {
/// Throws stack_low unless stack_low_mark is left.
void check_stack_slowly();
}  // namespace greenlets::detail

/// For entries that go deep: an actor's calls and turns, and those of the hub that begin an operation of Asio, call on
/// a thread (and so resolve a name) or start a process. A spawn and a wait do not call it.
/// Errors: stack_low when less than stack_low_mark is left.
inline void check_stack() {
  const greenlets::detail::thread_hot* const thread = greenlets::detail::this_thread;
  if (thread == nullptr || !thread->current->plainly_has_left(stack_low_mark)) [[unlikely]]
    greenlets::detail::check_stack_slowly();
}

}  // namespace grove
