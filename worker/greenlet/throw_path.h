// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where an exception would go before it is thrown: out of a function that lets none out it ends the process, and who
// delivers one from outside, as a kill or a deadline, can rather keep it.

#include <exception>

namespace grove {

class greenlet;

/// Whether `thrown` would end the process if it were thrown by the caller: a function that lets nothing out (one that is
/// noexcept, as destructors are) comes before the first handler, or there is no handler. The search is that of the
/// unwinder and takes about as long as half of a throw.
/// With `owner`, an object on this stack, only the handlers of the function that has it and of those that have called that
/// one count: who catches it further in, by its type, will find that it is another's and throw it on.
/// Known of code by GCC. Clang writes noexcept like a handler of everything: false there.
[[nodiscard]] bool would_end_process(const std::exception_ptr& thrown, const void* owner = nullptr);

/// Calls `look(with)` on the stack of a greenlet that is suspended, as if its pending switch called it; `look` must not
/// throw or switch. False if it is not suspended, or has too little room on its stack, or the caller is sliced: nothing
/// was called.
/// Errors: greenlet_error for a greenlet of another thread.
bool look_from(greenlet& suspended, void (*look)(void* with), void* with);

}  // namespace grove
