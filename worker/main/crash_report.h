// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/shared_segment.h"

namespace grove {

/// From now on a fatal signal (ABRT, which the supervisor sends to a worker that hangs, BUS, FPE, ILL) prints what the
/// worker was running and the stack of the running greenlet to stderr before the process dies of it.
/// Lifetime: `slot` is borrowed for ever.
void install_crash_report(const worker_slot& slot);

}  // namespace grove
