// SPDX-License-Identifier: Apache-2.0
#include "worker/main/orphan_guard.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "base/fd.h"
#include "base/process/inherited_fds.h"
#include "worker/greenlet/sanitizer.h"

namespace grove {
namespace {

/// A listening TCP socket.
unique_fd listen_somewhere(sockaddr_in& address) {
  unique_fd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  EXPECT_EQ(::bind(fd.get(), any, size), 0);
  EXPECT_EQ(::listen(fd.get(), 1), 0);
  EXPECT_EQ(::getsockname(fd.get(), any, &size), 0);
  return fd;
}

/// Stands for a worker whose turn hangs: says its pid, and never returns.
[[noreturn]] void hang_as_a_worker(int listener, int pipe) {
  const int tell = ::fcntl(pipe, F_DUPFD_CLOEXEC, inherited_fds::first_peer);
  ::dup2(listener, inherited_fds::listener);
  guard_against_orphanhood(::getppid());
  const pid_t own = ::getpid();
  if (::write(tell, &own, sizeof own) != sizeof own) ::_exit(1);
  volatile bool hangs = true;  // A loop without effect may be taken out.
  while (hangs) {
  }
  ::_exit(0);
}

TEST(orphan_guard, shuts_the_listener_down_and_ends_a_worker_that_hangs) {
#ifdef GROVE_TSAN
  GTEST_SKIP()
      << "ThreadSanitizer lets handlers of signals run only where the program calls a function that it watches";
#endif
  // Orphans become ours, so that their end can be seen.
  ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  sockaddr_in address{};
  const unique_fd listener = listen_somewhere(address);
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const unique_fd read_end{ends[0]};
  unique_fd write_end{ends[1]};

  const pid_t supervisor = ::fork();
  if (supervisor == 0) {
    if (::fork() == 0) hang_as_a_worker(listener.get(), write_end.get());
    write_end.reset();
    while (true)
      ::pause();
  }
  write_end.reset();
  pid_t worker = 0;
  ASSERT_EQ(::read(read_end.get(), &worker, sizeof worker), static_cast<ssize_t>(sizeof worker));
  // The worker has asked for its signal before it said its pid.
  ::kill(supervisor, SIGKILL);
  ASSERT_EQ(::waitpid(supervisor, nullptr, 0), supervisor);

  int status = 0;
  ASSERT_EQ(::waitpid(worker, &status, 0), worker);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
  const unique_fd client{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  EXPECT_NE(::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0)
      << "nobody listens any more, though the socket is still open here";
  ::prctl(PR_SET_CHILD_SUBREAPER, 0);
}

}  // namespace
}  // namespace grove
