// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/line_writer.h"
#include "base/process/shared_segment.h"

namespace grove {

/// While it lives, a fatal signal (ABRT, which the supervisor sends to a worker that hangs, BUS, FPE, ILL, SEGV) prints
/// what the worker was running (actor, method, number of the request) and the stack of the running greenlet to stderr
/// before the process dies of it, whatever the signal interrupted. What was logged before comes first. A reader of stderr
/// that stalls holds this up for no longer than half a second. The handler runs on the thread's alternate signal stack, if
/// it has one.
/// To be made before install_overflow_report(), which passes on the faults that are none of its own.
/// Lifetime: `slot` and `log` are borrowed. There is one at a time in a process.
class crash_report {
 public:
  crash_report(const worker_slot& slot, const line_writer& log);
  ~crash_report();
  crash_report(const crash_report&) = delete;
  crash_report& operator=(const crash_report&) = delete;
};

}  // namespace grove
