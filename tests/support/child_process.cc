// SPDX-License-Identifier: Apache-2.0
#include "tests/support/child_process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>

extern char** environ;

#include "base/clock.h"

namespace grove::test {
namespace {

struct pipe_ends {
  unique_fd read;
  unique_fd write;
};

pipe_ends make_pipe() {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0) throw std::system_error{errno, std::generic_category(), "pipe2"};
  return {unique_fd{fds[0]}, unique_fd{fds[1]}};
}

/// The test's environment with `added` in front, so that it wins.
std::vector<std::string> environment_with(const std::vector<std::pair<std::string, std::string>>& added) {
  std::vector<std::string> all;
  for (const auto& [name, value] : added)
    all.push_back(name + "=" + value);
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    bool replaced = false;
    for (const auto& [name, ignored] : added)
      replaced = replaced || text.starts_with(name + "=");
    if (!replaced) all.push_back(text);
  }
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> made;
  for (std::string& text : texts)
    made.push_back(text.data());
  made.push_back(nullptr);
  return made;
}

}  // namespace

child_process::child_process(const process_options& options) {
  pipe_ends in = make_pipe();
  pipe_ends out = make_pipe();
  pipe_ends err = make_pipe();
  if (options.err_pipe_bytes != 0) ::fcntl(err.write.get(), F_SETPIPE_SZ, options.err_pipe_bytes);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, in.read.get(), STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, out.write.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, err.write.get(), STDERR_FILENO);
  std::vector<std::string> arguments = options.arguments;
  std::vector<std::string> environment = environment_with(options.environment);
  const int failure = ::posix_spawn(&pid_, arguments.front().c_str(), &actions, nullptr, pointers(arguments).data(),
                                    pointers(environment).data());
  ::posix_spawn_file_actions_destroy(&actions);
  if (failure != 0) throw std::system_error{failure, std::generic_category(), "starting " + arguments.front()};
  out_fd_ = std::move(out.read);
  err_fd_ = std::move(err.read);
  in.read.reset();
  if (!options.input.empty() && ::write(in.write.get(), options.input.data(), options.input.size()) !=
                                    static_cast<ssize_t>(options.input.size())) {
    throw std::runtime_error{"the input of " + arguments.front() + " could not be written at once"};
  }
}

child_process::~child_process() {
  if (exit_) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void child_process::signal(int number) const {
  ::kill(pid_, number);
}

bool child_process::read_some(std::chrono::steady_clock::time_point deadline) {
  std::array<pollfd, 2> watched{};
  nfds_t count = 0;
  for (const unique_fd* fd : {&out_fd_, &err_fd_}) {
    if (*fd) watched.at(count++) = {.fd = fd->get(), .events = POLLIN, .revents = 0};
  }
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  if (count == 0 || left.count() <= 0 || ::poll(watched.data(), count, static_cast<int>(left.count())) <= 0)
    return false;
  for (nfds_t i = 0; i < count; ++i) {
    if (watched.at(i).revents == 0) continue;
    const bool is_out = out_fd_ && watched.at(i).fd == out_fd_.get();
    std::array<char, 16 * 1024> bytes{};
    const ssize_t size = ::read(watched.at(i).fd, bytes.data(), bytes.size());
    if (size > 0) {
      (is_out ? out_ : err_).append(bytes.data(), static_cast<std::size_t>(size));
    } else {
      (is_out ? out_fd_ : err_fd_).reset();
    }
  }
  return true;
}

std::string child_process::wait_for_line(const std::string& text, std::chrono::seconds within) {
  const auto deadline = time_after(std::chrono::steady_clock::now(), within);
  for (;;) {
    for (std::size_t end = err_.find('\n', searched_); end != std::string::npos; end = err_.find('\n', searched_)) {
      const std::string line = err_.substr(searched_, end - searched_);
      searched_ = end + 1;
      if (line.find(text) != std::string::npos) return line;
    }
    if (!read_some(deadline)) {
      ADD_FAILURE() << "no line with '" << text << "'; it printed:\n" << err_ << out_;
      throw std::runtime_error{"no line with '" + text + "'"};
    }
  }
}

finished_process child_process::wait(std::chrono::seconds within) {
  const auto deadline = time_after(std::chrono::steady_clock::now(), within);
  while ((out_fd_ || err_fd_) && read_some(deadline)) {
  }
  if (out_fd_ || err_fd_) {
    ADD_FAILURE() << "process " << pid_ << " did not end; it printed:\n" << err_ << out_;
    ::kill(pid_, SIGKILL);
  }
  int how = 0;
  ::waitpid(pid_, &how, 0);
  exit_ = WIFSIGNALED(how) ? exit_result{.code = -1, .signal = WTERMSIG(how)}
                           : exit_result{.code = WEXITSTATUS(how), .signal = 0};
  return {.exit = *exit_, .out = out_, .err = err_};
}

finished_process run(const process_options& options) {
  return child_process{options}.wait();
}

}  // namespace grove::test
