// SPDX-License-Identifier: Apache-2.0
#include "worker/main/crash_report.h"

#include <execinfo.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <string>

#include "base/last_words.h"

namespace grove {
namespace {

// What a signal handler can find: set before the handlers are.
const worker_slot* reported_slot = nullptr;
const line_writer* log_before = nullptr;

// Not all of it is async-signal-safe (reading the names allocates), but the process dies in any case, and if it hangs
// here the supervisor's KILL follows.
void report(int signal) {
  log_before->flush(std::chrono::milliseconds{100});
  std::array<char, 256> line{};
  std::snprintf(line.data(), line.size(), "grove-worker %d: %s\n", static_cast<int>(::getpid()), ::strsignal(signal));
  last_words words;
  words.say(line.data());
  words.say_stack();
  const flight_report flight = read_flight(*reported_slot);
  words.say((flight.running ? "it was running " : "it ran no turn; the last one was ") + flight.to_string() + "\n");
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

void handle_fatal_signals(void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = static_cast<int>(SA_ONSTACK | SA_RESETHAND);
  for (const int fatal : {SIGABRT, SIGBUS, SIGFPE, SIGILL})
    ::sigaction(fatal, &action, nullptr);
}

}  // namespace

crash_report::crash_report(const worker_slot& slot, const line_writer& log) {
  reported_slot = &slot;
  log_before = &log;
  // The first call of backtrace loads a library, which a signal handler should not.
  std::array<void*, 1> warm_up{};
  (void)::backtrace(warm_up.data(), 1);
  handle_fatal_signals(report);
}

crash_report::~crash_report() {
  handle_fatal_signals(SIG_DFL);
}

}  // namespace grove
