// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "worker/greenlet/greenlet.h"

namespace grove {

/// Writes what runs in `running` (the actor, the method) to `text` and returns the number of bytes written.
/// Affinity: async-signal-safe.
using overflow_label = std::size_t (*)(const greenlet& running, char* text, std::size_t text_bytes) noexcept;

/// From now on a fault in the guard page of the running greenlet's stack ends the process with SIGABRT and a line on
/// stderr that names the greenlet and what `label` says of it. Any other fault, on whatever thread, goes to the handler
/// that was there before the first call, and so do all faults from then on.
/// Affinity: the calling thread gets an alternate signal stack until it ends; the handler is the process's. Call it once
/// a thread that runs greenlets.
void install_overflow_report(overflow_label label = nullptr);

}  // namespace grove
