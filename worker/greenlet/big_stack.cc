// SPDX-License-Identifier: Apache-2.0
#include "worker/greenlet/big_stack.h"

#include "worker/greenlet/continulet.h"

namespace grove::greenlets::detail {

void run_on_big_stack(void (*call)(void*), void* of) {
  // Nobody else knows this continulet: only its end comes back here.
  const continulet_ptr big = continulet::make_on(stack_class::large, [call, of](continulet&) { call(of); });
  big->resume();
}

}  // namespace grove::greenlets::detail
