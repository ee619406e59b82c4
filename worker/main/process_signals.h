// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace grove {

/// From now on the signals by which a process is asked to stop, to reload or to do something else have no effect. They are
/// meant for the server even when they reach all of its processes (Ctrl-C, systemd, killall, the stop of a cgroup), and
/// what becomes of the workers is the supervisor's decision, which comes over the control socket. SIGPIPE and SIGXFSZ
/// are ignored too: a reader that goes away, or a file that is full, is met as a write error. A signal for which a library has a handler already stays with it.
void leave_signals_to_supervisor() noexcept;

}  // namespace grove
