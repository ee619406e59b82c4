// SPDX-License-Identifier: Apache-2.0
#include "server/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <system_error>

#include "base/check.h"

namespace grove::server {
namespace {

[[noreturn]] void fail(int error, const std::string& what) {
  throw std::system_error{error, std::generic_category(), what};
}

/// posix_spawn's own calls only fail for lack of memory or for bad arguments.
void expect_done(int error, const char* call) {
  if (error != 0) fail(error, call);
}

class file_actions {
 public:
  file_actions() { expect_done(::posix_spawn_file_actions_init(&actions_), "posix_spawn_file_actions_init"); }
  file_actions(const file_actions&) = delete;
  file_actions& operator=(const file_actions&) = delete;
  ~file_actions() { ::posix_spawn_file_actions_destroy(&actions_); }

  void open_null(int number) {
    expect_done(::posix_spawn_file_actions_addopen(&actions_, number, "/dev/null", O_RDONLY, 0), "addopen");
  }
  void pass(const passed_fd& fd) {
    expect_done(::posix_spawn_file_actions_adddup2(&actions_, fd.source, fd.number), "adddup2");
  }
  void close_from(int number) {
    expect_done(::posix_spawn_file_actions_addclosefrom_np(&actions_, number), "addclosefrom");
  }
  [[nodiscard]] const posix_spawn_file_actions_t* get() const noexcept { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

class spawn_attributes {
 public:
  spawn_attributes() {
    expect_done(::posix_spawnattr_init(&attributes_), "posix_spawnattr_init");
    sigset_t all;
    sigset_t none;
    ::sigfillset(&all);
    ::sigdelset(&all, SIGKILL);
    ::sigdelset(&all, SIGSTOP);
    ::sigemptyset(&none);
    expect_done(::posix_spawnattr_setsigdefault(&attributes_, &all), "setsigdefault");
    expect_done(::posix_spawnattr_setsigmask(&attributes_, &none), "setsigmask");
    expect_done(::posix_spawnattr_setpgroup(&attributes_, 0), "setpgroup");
    expect_done(::posix_spawnattr_setflags(&attributes_,
                                           POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP),
                "setflags");
  }
  spawn_attributes(const spawn_attributes&) = delete;
  spawn_attributes& operator=(const spawn_attributes&) = delete;
  ~spawn_attributes() { ::posix_spawnattr_destroy(&attributes_); }

  [[nodiscard]] const posix_spawnattr_t* get() const noexcept { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
};

}  // namespace

child_process spawn_process(const spawn_request& request) {
  file_actions actions;
  actions.open_null(STDIN_FILENO);
  for (const passed_fd& fd : request.descriptors) {
    GROVE_CHECK(fd.source >= request.close_from, "a descriptor to pass on would be overwritten by another");
    actions.pass(fd);
  }
  actions.close_from(request.close_from);
  const spawn_attributes attributes;

  std::vector<std::string> words{std::filesystem::path{request.program}.filename().string()};
  words.insert(words.end(), request.arguments.begin(), request.arguments.end());
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words)
    argv.push_back(word.data());
  argv.push_back(nullptr);

  child_process child;
  const int error =
      ::posix_spawn(&child.pid, request.program.c_str(), actions.get(), attributes.get(), argv.data(), ::environ);
  if (error != 0) fail(error, fmt::format("cannot start {}", request.program));
  // The child cannot be reaped by anybody else, so its pid is still its own.
  child.pidfd.reset(static_cast<int>(::syscall(SYS_pidfd_open, child.pid, 0)));
  if (!child.pidfd) {
    const int reason = errno;
    end_process(child.pid);
    fail(reason, "pidfd_open (Linux 5.3 or later is needed)");
  }
  return child;
}

void end_process(int pid) noexcept {
  ::kill(pid, SIGKILL);
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

std::optional<exit_status> try_reap(const unique_fd& pidfd) {
  siginfo_t info{};
  const int done = ::waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &info, WEXITED | WNOHANG);
  GROVE_CHECK(done == 0, "waitid on a child of ours");
  if (info.si_pid == 0) return std::nullopt;
  if (info.si_code == CLD_EXITED) return exit_status::exited(info.si_status);
  return exit_status::signalled(info.si_status, info.si_code == CLD_DUMPED);
}

void send_signal(const unique_fd& pidfd, int signal) noexcept {
  ::syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0);
}

unique_fd move_above(unique_fd fd, int floor) {
  unique_fd moved{::fcntl(fd.get(), F_DUPFD_CLOEXEC, floor)};
  if (!moved) fail(errno, fmt::format("cannot have a descriptor above {} (see ulimit -n)", floor));
  return moved;
}

std::uint64_t raise_descriptor_limit() noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlimit raised{limit.rlim_max, limit.rlim_max};
  return ::setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur;
}

void reset_signals() noexcept {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGCHLD, SIG_DFL);
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);  // The call fails with EFBIG, which can say what was too large.
}

std::string find_worker_program() {
  const auto usable = [](const std::string& path) {
    return !std::filesystem::is_directory(path) && ::access(path.c_str(), X_OK) == 0;
  };
  if (const char* named = std::getenv("GROVE_TEST_WORKER_PROGRAM"); named != nullptr && *named != '\0') {
    if (!usable(named))
      throw std::runtime_error{fmt::format("$GROVE_TEST_WORKER_PROGRAM is '{}', which is no program", named)};
    return named;
  }
  std::error_code ignored;
  const auto folder = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
  const std::vector<std::string> places = {(folder / "grove-worker").string(),
                                           (folder.parent_path() / "libexec/grove/grove-worker").string()};
  for (const std::string& place : places) {
    if (usable(place)) return place;
  }
  throw std::runtime_error{
      fmt::format("the worker program is missing: looked for {}; install grove-server and grove-worker together",
                  fmt::join(places, " and "))};
}

}  // namespace grove::server
