// SPDX-License-Identifier: Apache-2.0
#include "worker/main/crash_report.h"

#include <execinfo.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <array>
#include <cstdint>

#include "base/last_words.h"
#include "base/signal_text.h"

namespace grove {
namespace {

// What a signal handler can find: set before the handlers are.
const worker_slot* reported_slot = nullptr;
const line_writer* log_before = nullptr;

constexpr std::array fatal_signals{SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV};

void say_cause(last_words& words, int signal, const siginfo_t& info) noexcept {
  std::array<char, 256> line{};
  signal_text text{line.data(), line.size()};
  const char* const name = ::sigdescr_np(signal);
  text.add("grove-worker ").add_number(static_cast<std::uint64_t>(::getpid())).add(": ");
  text.add(name != nullptr ? name : "a signal");
  if (info.si_code > 0 && (signal == SIGSEGV || signal == SIGBUS)) {
    text.add(" at address ").add_hex(reinterpret_cast<std::uintptr_t>(info.si_addr));
  }
  words.say(text.add("\n").view());
}

// The signal may have come at any instruction, also while the heap, a stream or the loader was locked: nothing here
// allocates or locks. What is known for certain comes before the stack, whose frames may be what is broken: a second
// fault ends the process at once.
void report(int signal, siginfo_t* info, void*) {
  log_before->flush(std::chrono::milliseconds{100});
  last_words words;
  say_cause(words, signal, *info);
  std::array<char, 512> line{};
  const std::size_t size = write_flight(*reported_slot, line.data(), line.size() - 1);
  line[size] = '\n';
  words.say({line.data(), size + 1});
  words.say_stack();
  ::raise(signal);  // With its default effect, once this has returned.
}

}  // namespace

crash_report::crash_report(const worker_slot& slot, const line_writer& log) {
  reported_slot = &slot;
  log_before = &log;
  // The first call of backtrace loads a library, which a signal handler should not.
  std::array<void*, 1> warm_up{};
  (void)::backtrace(warm_up.data(), 1);
  struct sigaction action {};
  action.sa_sigaction = report;
  action.sa_flags = static_cast<int>(SA_SIGINFO | SA_ONSTACK | SA_RESETHAND);
  for (const int fatal : fatal_signals)
    ::sigaddset(&action.sa_mask, fatal);
  for (const int fatal : fatal_signals)
    ::sigaction(fatal, &action, nullptr);
}

crash_report::~crash_report() {
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  for (const int fatal : fatal_signals)
    ::sigaction(fatal, &action, nullptr);
}

}  // namespace grove
