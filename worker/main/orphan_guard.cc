// SPDX-License-Identifier: Apache-2.0
#include "worker/main/orphan_guard.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "base/process/inherited_fds.h"

namespace grove {
namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error{errno, std::generic_category(), what};
}

// What a signal handler can find: set once, before the handler is.
struct {
  pid_t supervisor = 0;
  timer_t kill_timer{};
} guard;

void on_parent_death(int) {
  if (::getppid() == guard.supervisor) return;  // Somebody else sent it.
  const int before = errno;
  ::shutdown(inherited_fds::listener, SHUT_RD);
  constexpr auto seconds = std::chrono::duration_cast<std::chrono::seconds>(orphan_kill);
  constexpr std::chrono::nanoseconds rest = orphan_kill - seconds;
  const itimerspec once{.it_interval = {}, .it_value = {.tv_sec = seconds.count(), .tv_nsec = rest.count()}};
  ::timer_settime(guard.kill_timer, 0, &once, nullptr);
  errno = before;
}

}  // namespace

void guard_against_orphanhood(int supervisor) {
  guard.supervisor = supervisor;
  // A signal that neither a turn nor a library can block, handle or ignore.
  sigevent kill{};
  kill.sigev_notify = SIGEV_SIGNAL;
  kill.sigev_signo = SIGKILL;
  if (::timer_create(CLOCK_MONOTONIC, &kill, &guard.kill_timer) != 0) fail("a timer for the supervisor's death");

  // The last of the real-time signals: nobody sends it by hand, and libraries begin with the first.
  const int parent_death = SIGRTMAX;
  struct sigaction action {};
  action.sa_handler = on_parent_death;
  action.sa_flags = static_cast<int>(SA_ONSTACK | SA_RESTART);
  ::sigemptyset(&action.sa_mask);
  if (::sigaction(parent_death, &action, nullptr) != 0) fail("a handler for the supervisor's death");
  if (::prctl(PR_SET_PDEATHSIG, parent_death) != 0) fail("asking for a signal at the supervisor's death");
}

}  // namespace grove
