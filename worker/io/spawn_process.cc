// SPDX-License-Identifier: Apache-2.0
#include "worker/io/internal/spawn_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

extern char** environ;

namespace grove::io::detail {

namespace {

[[noreturn]] void fail(const std::string& what, int error = errno) {
  throw std::system_error(error, std::system_category(), what);
}

/// A descriptor above the standard ones, so that the order in which the child's are put in place does not matter.
unique_fd above_standard(unique_fd fd) {
  if (fd.get() > STDERR_FILENO) return fd;
  unique_fd moved(::fcntl(fd.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  if (!moved) fail("moving a descriptor for a child");
  return moved;
}

struct spawn_setup {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  std::array<unique_fd, 3> theirs;  // what the child's standard streams are copied from

  spawn_setup() {
    if (const int error = ::posix_spawn_file_actions_init(&actions); error != 0) fail("posix_spawn", error);
    if (const int error = ::posix_spawnattr_init(&attributes); error != 0) {
      ::posix_spawn_file_actions_destroy(&actions);
      fail("posix_spawn", error);
    }
  }
  ~spawn_setup() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  spawn_setup(const spawn_setup&) = delete;
  spawn_setup& operator=(const spawn_setup&) = delete;
};

void check(int error) {
  if (error != 0) fail("preparing a child", error);
}

/// Opens what `wanted` says for the child's descriptor `number`; our end of a pipe goes into `ours`.
void open_stream(spawn_setup& setup, const stdio& wanted, int number, unique_fd& ours) {
  unique_fd& theirs = setup.theirs.at(static_cast<std::size_t>(number));
  const bool reads = number == STDIN_FILENO;
  switch (wanted.what) {
    case stdio::kind::inherited:
      return;
    case stdio::kind::as_output:
      if (number != STDERR_FILENO) throw std::invalid_argument("only standard error can go where standard output goes");
      return;
    case stdio::kind::null_device:
      theirs.reset(::open("/dev/null", (reads ? O_RDONLY : O_WRONLY) | O_CLOEXEC));
      if (!theirs) fail("/dev/null for a child");
      break;
    case stdio::kind::descriptor:
      theirs.reset(::fcntl(wanted.fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
      if (!theirs) fail("descriptor " + std::to_string(wanted.fd) + " for a child");
      break;
    case stdio::kind::pipe: {
      std::array<int, 2> ends{};
      if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail("a pipe for a child");
      theirs.reset(ends.at(reads ? 0 : 1));
      ours = above_standard(unique_fd(ends.at(reads ? 1 : 0)));
      if (::fcntl(ours.get(), F_SETFL, O_NONBLOCK) != 0) fail("a pipe for a child");
      break;
    }
  }
  theirs = above_standard(std::move(theirs));
}

void put_streams_in_place(spawn_setup& setup, const subprocess_options& options) {
  for (int number = STDIN_FILENO; number <= STDERR_FILENO; ++number) {
    const unique_fd& theirs = setup.theirs.at(static_cast<std::size_t>(number));
    if (theirs) check(::posix_spawn_file_actions_adddup2(&setup.actions, theirs.get(), number));
  }
  if (options.err.what == stdio::kind::as_output)
    check(::posix_spawn_file_actions_adddup2(&setup.actions, STDOUT_FILENO, STDERR_FILENO));
  check(::posix_spawn_file_actions_addclosefrom_np(&setup.actions, STDERR_FILENO + 1));
  if (!options.directory.empty())
    check(::posix_spawn_file_actions_addchdir_np(&setup.actions, options.directory.c_str()));
}

void set_attributes(spawn_setup& setup, const subprocess_options& options) {
  sigset_t none;
  sigset_t defaults;
  ::sigemptyset(&none);
  ::sigemptyset(&defaults);
  ::sigaddset(&defaults, SIGPIPE);
  ::sigaddset(&defaults, SIGXFSZ);
  check(::posix_spawnattr_setsigmask(&setup.attributes, &none));
  check(::posix_spawnattr_setsigdefault(&setup.attributes, &defaults));
  unsigned flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
  if (options.own_group) flags |= POSIX_SPAWN_SETPGROUP;  // the group 0 that is set by default: its own
  check(::posix_spawnattr_setflags(&setup.attributes, static_cast<short>(flags)));
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> made;
  made.reserve(texts.size() + 1);
  for (std::string& text : texts)
    made.push_back(text.data());
  made.push_back(nullptr);
  return made;
}

unique_fd open_pidfd(pid_t pid, const std::string& program) {
  // Not pidfd_open(): glibc 2.36 declares it for C alone.
  unique_fd made(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U)));
  if (made) return made;
  const int error = errno;
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  fail("starting " + program + ": pidfd_open", error);
}

}  // namespace

started_process spawn_process(std::vector<std::string> argv, const subprocess_options& options) {
  if (argv.empty() || argv.front().empty()) throw std::invalid_argument("a subprocess without a program");
  const std::string program = argv.front();
  started_process started;
  spawn_setup setup;
  open_stream(setup, options.in, STDIN_FILENO, started.in);
  open_stream(setup, options.out, STDOUT_FILENO, started.out);
  open_stream(setup, options.err, STDERR_FILENO, started.err);
  put_streams_in_place(setup, options);
  set_attributes(setup, options);
  std::optional<std::vector<std::string>> environment = options.environment;
  const std::vector<char*> arguments = pointers(argv);
  const std::vector<char*> variables = environment ? pointers(*environment) : std::vector<char*>{};
  const int error = ::posix_spawnp(&started.pid, program.c_str(), &setup.actions, &setup.attributes, arguments.data(),
                                   environment ? variables.data() : environ);
  if (error != 0) {
    const std::string& directory = options.directory;
    const bool enters = directory.empty() || ::access(directory.c_str(), X_OK) == 0;
    fail("starting " + program + (enters ? "" : " in the directory " + directory), error);
  }
  started.pidfd = open_pidfd(started.pid, program);
  return started;
}

bool send_signal(int pidfd, int signal) noexcept {
  return ::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0U) == 0;
}

std::optional<exit_status> collect(int pidfd) {
  siginfo_t how{};
  while (::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(pidfd), &how, WEXITED | WNOHANG) != 0) {
    if (errno == EAGAIN) return std::nullopt;
    if (errno != EINTR) fail("collecting a child");
  }
  if (how.si_pid == 0) return std::nullopt;
  if (how.si_code == CLD_EXITED) return exit_status{.code = how.si_status, .signal = 0};
  return exit_status{.code = -1, .signal = how.si_status};
}

}  // namespace grove::io::detail
