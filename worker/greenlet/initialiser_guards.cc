// SPDX-License-Identifier: Apache-2.0

// What the linker calls in place of the functions by which compiled code guards the initialisation of a function's static
// variable (Itanium C++ ABI, 3.3.3) and by which std::call_once runs its function (--wrap in CMakeLists.txt).

#include <cxxabi.h>
#include <pthread.h>

#include "worker/greenlet/initialisers.h"

using namespace grove::greenlets::detail;

// NOLINTBEGIN(bugprone-reserved-identifier, readability-identifier-naming)
extern "C" {

int __real___cxa_guard_acquire(__cxxabiv1::__guard* guard);
void __real___cxa_guard_release(__cxxabiv1::__guard* guard) noexcept;
void __real___cxa_guard_abort(__cxxabiv1::__guard* guard) noexcept;
int __real_pthread_once(pthread_once_t* once, void (*call)());

int __wrap___cxa_guard_acquire(__cxxabiv1::__guard* guard) {
  refuse_deadlock(guard);
  const int acquired = __real___cxa_guard_acquire(guard);
  if (acquired != 0) begin_initialiser(guard, initialiser_kind::variable);
  return acquired;
}

void __wrap___cxa_guard_release(__cxxabiv1::__guard* guard) noexcept {
  end_initialiser(guard);
  __real___cxa_guard_release(guard);
}

void __wrap___cxa_guard_abort(__cxxabiv1::__guard* guard) noexcept {
  end_initialiser(guard);
  __real___cxa_guard_abort(guard);
}

int __wrap_pthread_once(pthread_once_t* once, void (*call)()) {
  // No greenlet of this thread runs before the function does, if it is this thread that calls it.
  refuse_deadlock(once);
  struct open {
    const void* guard;
    ~open() { end_initialiser(guard); }
  } const ended{once};
  begin_initialiser(once, initialiser_kind::once);
  return __real_pthread_once(once, call);
}

}  // extern "C"
// NOLINTEND(bugprone-reserved-identifier, readability-identifier-naming)
