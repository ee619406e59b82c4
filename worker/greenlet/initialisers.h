// SPDX-License-Identifier: Apache-2.0
#pragma once

// Greenlets that wait inside the initialiser of a function's static variable, or inside std::call_once. Both hold a guard
// that belongs to the thread and not to the greenlet: the next greenlet that needs the variable stops the whole thread,
// and with it the one that it waits for. It is the same with every lock of the standard library, but here no lock is to
// be seen.
//
// - The linker puts functions of ours before __cxa_guard_acquire and its like and before pthread_once (--wrap), which
//   write down who holds a guard. What is compiled into a shared library is not seen.
// - A wait that is made meanwhile is refused in a debug build and told of in others: it goes well as long as nobody else
//   needs the variable.
// - Who needs it then cannot be helped: the process ends, and says who waits and who needs it.

#include <cstdint>
#include <optional>
#include <string>

namespace grove {

class greenlet;

enum class initialiser_waits : std::uint8_t { are_refused, are_told };

/// What the calling thread does about a wait inside an initialiser. Unless set, they are refused in a build without
/// NDEBUG and told of in others.
void set_initialiser_waits(initialiser_waits policy);

namespace greenlets::detail {

/// Called by a wait of the current greenlet, which holds a guard.
/// Returns what there is to tell of it; nothing if it has been told.
/// Errors: greenlet_error where such waits are refused.
[[nodiscard]] std::optional<std::string> check_wait_in_initialiser(const greenlet& self);

enum class initialiser_kind : std::uint8_t { variable, once };

/// Writes down that the current greenlet begins to initialise what `guard` guards, and that it has ended. The first ends
/// the process if another greenlet of the thread, or this one, has begun and not ended.
void begin_initialiser(const void* guard, initialiser_kind kind) noexcept;
void end_initialiser(const void* guard) noexcept;
void refuse_deadlock(const void* guard) noexcept;

}  // namespace greenlets::detail

}  // namespace grove
