// SPDX-License-Identifier: Apache-2.0
#pragma once

// A worker whose supervisor is killed reads the end of its control socket, finishes for a short time what was begun, and
// ends. Two things cannot wait for that, because a turn that hangs reads nothing:
//
// - the listener, which the orphans hold open: a new server could not have the address;
// - the end of the orphan itself.
//
// So the kernel is asked for a signal when the supervisor ends (PR_SET_PDEATHSIG), whose handler runs in the middle of any
// turn: it shuts the listener down and arms a timer, whose end is SIGKILL.

#include <chrono>

namespace grove {

/// How long a worker without a supervisor finishes what was begun.
inline constexpr std::chrono::milliseconds orphan_grace{1000};
/// When an orphan that still lives is killed by its own timer.
inline constexpr std::chrono::milliseconds orphan_kill{2000};

/// Asks for all that. `supervisor` is the parent's pid; one that has gone already is met at the control socket.
/// Affinity: once in a process. Errors: std::system_error.
void guard_against_orphanhood(int supervisor);

}  // namespace grove
