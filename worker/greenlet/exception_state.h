// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cxxabi.h>

namespace grove {

/// A thread's C++ exception state as the Itanium ABI lays it out (`__cxa_eh_globals`): the stack of caught
/// exceptions, and the number of those in flight. The ABI keeps one a thread; a greenlet that is switched away from
/// inside a catch block would find another's there, so every context has its own and the exchange swaps them.
struct exception_state {
  void* caught = nullptr;
  unsigned int uncaught = 0;
};

/// The calling thread's state; the address is the same for the life of the thread.
inline exception_state& thread_exceptions() noexcept {
  return *reinterpret_cast<exception_state*>(abi::__cxa_get_globals());
}

}  // namespace grove
