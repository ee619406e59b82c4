// SPDX-License-Identifier: Apache-2.0
#pragma once

// The one primitive that everything above is made of: exchange the running context for a suspended one.
//
// - A context is suspended or running; exchange() suspends one and runs the other.
// - The C++ exception state belongs to the context, so a switch inside a catch block is legal.
// - AddressSanitizer, ThreadSanitizer and Valgrind are told of every exchange in builds for them.

#include <cstddef>
#include <utility>

#include "worker/greenlet/exception_state.h"
#include "worker/greenlet/jump.h"
#include "worker/greenlet/sanitizer.h"

namespace grove {

class continulet;

/// What a suspended context is: its stack pointer, its exception state, what sanitizers want to know, and which flow
/// of control it is. A greenlet's context always describes the flow that the greenlet runs now: the one it began with,
/// or the body of a continulet that it has switched to.
struct execution_context {
  jump_point suspended_at;
  exception_state exceptions;
  [[no_unique_address]] sanitizer_fiber fiber;
  continulet* flow = nullptr;  ///< whose body it is; null: the flow that a greenlet began with
};

namespace greenlets::detail {

/// Completes an exchange on the side that has been resumed; returns the context that was left.
[[gnu::always_inline]] inline execution_context& arrive(execution_context& self, void* left) noexcept {
  auto& previous = *static_cast<execution_context*>(left);
  self.fiber.arrive(previous.fiber);
  return previous;
}

}  // namespace greenlets::detail

/// Stores the running context in `from` and resumes `to`. Who is resumed later has to call arrive(), with the context
/// that describes it then and what this returns.
/// `exceptions` is the calling thread's exception state, see thread_exceptions().
[[gnu::always_inline]] inline void* leave(execution_context& from, execution_context& to,
                                          exception_state& exceptions) noexcept {
  from.exceptions = exceptions;
  exceptions = to.exceptions;
  from.fiber.leave(to.fiber);
  return jump(from.suspended_at, to.suspended_at, &from);
}

/// leave() for one descriptor: `slot` gives what it holds and receives the running context. The two fibers have
/// changed places already; `to` is the one that is resumed.
[[gnu::always_inline]] inline void* leave_in_place(execution_context& slot, sanitizer_fiber& to,
                                                   exception_state& exceptions) noexcept {
  // Member by member, as they were stored: a wider load would wait for the stores.
  std::swap(slot.exceptions.caught, exceptions.caught);
  std::swap(slot.exceptions.uncaught, exceptions.uncaught);
  slot.fiber.leave(to);
  return jump(slot.suspended_at, slot.suspended_at, &slot);
}

/// Suspends `from`, which must be the running context, and resumes `to`. Returns the context that resumed `from`.
[[gnu::always_inline]] inline execution_context& exchange(execution_context& from, execution_context& to,
                                                          exception_state& exceptions) noexcept {
  return greenlets::detail::arrive(from, leave(from, to, exceptions));
}

/// Makes `made` a suspended context that will run `entry` on the given stack. `entry` never returns.
void prepare(execution_context& made, std::byte* base, std::byte* top, void (*entry)(void* left)) noexcept;

/// Leaves `from` for ever: its stack may be given back once `to` runs.
[[noreturn]] void leave_for_ever(execution_context& from, execution_context& to, exception_state& exceptions) noexcept;

}  // namespace grove
