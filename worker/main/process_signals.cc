// SPDX-License-Identifier: Apache-2.0
#include "worker/main/process_signals.h"

#include <signal.h>

#include <initializer_list>

namespace grove {

void leave_signals_to_supervisor() noexcept {
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);  // A log in a file that is full must not end it.
  // A handler and not SIG_IGN: programs that modules start would inherit that, and could not be stopped either.
  struct sigaction nothing {};
  nothing.sa_handler = [](int) {};
  nothing.sa_flags = static_cast<int>(SA_RESTART | SA_ONSTACK);
  // Those that end a process unless it says otherwise, but for KILL, for what tells of its own faults (SEGV, ABRT, XCPU and
  // the like), and for ALRM, which a process sets for itself.
  for (const int number :
       {SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGTERM, SIGPWR, SIGIO, SIGSTKFLT, SIGPROF, SIGVTALRM}) {
    struct sigaction present {};
    if (::sigaction(number, nullptr, &present) == 0 && present.sa_handler == SIG_DFL)
      ::sigaction(number, &nothing, nullptr);
  }
}

}  // namespace grove
