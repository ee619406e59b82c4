// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unwind.h>

#include "worker/greenlet/jump.h"

namespace grove {

class greenlet;

namespace greenlets::detail {

/// Unwinds the stacks of those who have resumed what the calling thread's current greenlet runs, the body of a continulet
/// or of on_big_stack(): the innermost of them first, from where it has resumed. `add` gets their frames, and may end
/// it by what it returns. Does nothing where a jump is not Grove's own (jump.h).
/// Affinity: async-signal-safe, if the unwinder is.
void unwind_outer_flows(const greenlet& running, _Unwind_Reason_Code (*add)(_Unwind_Context* at, void* into),
                        void* into) noexcept;

}  // namespace greenlets::detail

}  // namespace grove
