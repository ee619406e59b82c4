// SPDX-License-Identifier: Apache-2.0
#include "worker/main/crash_report.h"

#include <execinfo.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <string>

namespace grove {
namespace {

// The one thing that a signal handler can find: set once, before the handler is.
const worker_slot* reported_slot = nullptr;

void write_text(const char* text, std::size_t size) {
  while (size > 0) {
    const ssize_t written = ::write(STDERR_FILENO, text, size);
    if (written <= 0) return;
    text += written;
    size -= static_cast<std::size_t>(written);
  }
}

// Not all of it is async-signal-safe (reading the names allocates), but the process dies in any case, and if it hangs
// here the supervisor's KILL follows.
void report(int signal) {
  std::array<char, 256> line{};
  const int size = std::snprintf(line.data(), line.size(), "grove-worker %d: %s\n", static_cast<int>(::getpid()),
                                 ::strsignal(signal));
  write_text(line.data(), static_cast<std::size_t>(size));
  std::array<void*, 64> frames{};
  ::backtrace_symbols_fd(frames.data(), ::backtrace(frames.data(), static_cast<int>(frames.size())), STDERR_FILENO);
  const flight_report flight = read_flight(*reported_slot);
  const std::string running =
      (flight.running ? "it was running " : "it ran no turn; the last one was ") + flight.to_string() + "\n";
  write_text(running.data(), running.size());
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

}  // namespace

void install_crash_report(const worker_slot& slot) {
  reported_slot = &slot;
  // The first call of backtrace loads a library, which a signal handler should not.
  std::array<void*, 1> warm_up{};
  (void)::backtrace(warm_up.data(), 1);
  struct sigaction action {};
  action.sa_handler = report;
  action.sa_flags = static_cast<int>(SA_ONSTACK | SA_RESETHAND);
  for (const int fatal : {SIGABRT, SIGBUS, SIGFPE, SIGILL})
    ::sigaction(fatal, &action, nullptr);
}

}  // namespace grove
