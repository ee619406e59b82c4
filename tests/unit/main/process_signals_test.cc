// SPDX-License-Identifier: Apache-2.0
#include "worker/main/process_signals.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

namespace grove {
namespace {

/// Ends a process of its own with 0 when no signal did.
[[noreturn]] void outlive_signals() {
  leave_signals_to_supervisor();
  for (const int number :
       {SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGTERM, SIGPIPE, SIGPWR, SIGIO, SIGSTKFLT, SIGPROF, SIGVTALRM})
    ::raise(number);
  ::_exit(0);
}

TEST(process_signals, that_are_meant_for_the_supervisor_have_no_effect) {
  EXPECT_EXIT(outlive_signals(), testing::ExitedWithCode(0), "");
}

/// Starts a program and stops it with TERM; ends a process of its own with 0 when that helped.
[[noreturn]] void stop_a_program() {
  leave_signals_to_supervisor();
  pid_t child = 0;
  char name[] = "sleep";
  char seconds[] = "600";
  char* const words[] = {name, seconds, nullptr};
  if (::posix_spawnp(&child, name, nullptr, nullptr, words, ::environ) != 0) ::_exit(1);
  ::kill(child, SIGTERM);
  int status = 0;
  ::waitpid(child, &status, 0);
  ::_exit(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM ? 0 : 2);
}

TEST(process_signals, stop_programs_that_a_worker_has_started) {
  EXPECT_EXIT(stop_a_program(), testing::ExitedWithCode(0), "");
}

TEST(process_signals, stay_with_a_library_that_has_a_handler) {
  const auto try_it = [] {
    ::signal(SIGPROF, [](int) { ::_exit(7); });
    leave_signals_to_supervisor();
    ::raise(SIGPROF);
    ::_exit(0);
  };
  EXPECT_EXIT(try_it(), testing::ExitedWithCode(7), "");
}

}  // namespace
}  // namespace grove
