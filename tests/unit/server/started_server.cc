// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/server/started_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <regex>
#include <stdexcept>

#include "base/clock.h"
#include "tests/support/core_dumps.h"

namespace grove::server {
namespace {

using std::chrono::steady_clock;

/// Far more than anything here takes, so that a slow machine does not fail; nothing waits for it to pass.
constexpr std::chrono::seconds patience{60};

int left(steady_clock::time_point deadline) {
  const auto rest = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - steady_clock::now()).count();
  return rest < 0 ? 0 : static_cast<int>(rest);
}

bool is_ours(std::string_view entry) {
  return entry.starts_with("GROVE_");
}

}  // namespace

started_server::started_server(variables environment, std::vector<std::string> arguments) {
  test::disable_core_dumps();
  std::vector<std::string> words{GROVE_SERVER_PROGRAM, "--listen=127.0.0.1:0", "--admin=127.0.0.1:0", "--workers=2",
                                 "--pin=off"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  // Of two entries with one name the first counts.
  std::vector<std::string> entries;
  for (const auto& [name, value] : environment)
    entries.push_back(name + "=" + value);
  entries.push_back(std::string{"GROVE_TEST_WORKER_PROGRAM="} + GROVE_FAKE_WORKER);
  // A healthy worker that gets no time for a while is not what these tests are about; those that are set the flags.
  entries.emplace_back("GROVE_HANG_TIMEOUT=30s");
  entries.emplace_back("GROVE_START_TIMEOUT=60s");
  for (char** entry = ::environ; *entry != nullptr; ++entry) {
    if (!is_ours(*entry)) entries.emplace_back(*entry);
  }
  std::vector<char*> argv;
  std::vector<char*> envp;
  for (std::string& word : words)
    argv.push_back(word.data());
  for (std::string& entry : entries)
    envp.push_back(entry.data());
  argv.push_back(nullptr);
  envp.push_back(nullptr);

  int pipe[2] = {-1, -1};
  if (::pipe2(pipe, O_CLOEXEC) != 0) throw std::runtime_error{"pipe2"};
  output_.reset(pipe[0]);
  const unique_fd write_end{pipe[1]};
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, write_end.get(), STDERR_FILENO);
  const int error = ::posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), envp.data());
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error{std::string{"posix_spawn: "} + std::strerror(error)};
  pidfd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
}

started_server::~started_server() {
  if (reaped_) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

bool started_server::read_more(steady_clock::time_point deadline) {
  pollfd poller{output_.get(), POLLIN, 0};
  if (::poll(&poller, 1, left(deadline)) <= 0) throw std::runtime_error{"nothing came in time; the log is:\n" + log_};
  char chunk[4096];
  const ssize_t size = ::read(output_.get(), chunk, sizeof chunk);
  if (size > 0) log_.append(chunk, static_cast<std::size_t>(size));
  return size > 0;
}

std::string started_server::wait_for(std::string_view text) {
  const auto deadline = time_after(steady_clock::now(), patience);
  while (true) {
    for (auto end = log_.find('\n', seen_); end != std::string::npos; end = log_.find('\n', seen_)) {
      const std::string line = log_.substr(seen_, end - seen_);
      seen_ = end + 1;
      if (line.find(text) != std::string::npos) return line;
    }
    if (!read_more(deadline)) throw std::runtime_error{fmt::format("'{}' never came; the log is:\n{}", text, log_)};
  }
}

void started_server::wait_for_silence() {
  const auto deadline = time_after(steady_clock::now(), patience);
  while (read_more(deadline)) {
  }
}

int started_server::wait_for_exit() {
  pollfd poller{pidfd_.get(), POLLIN, 0};
  if (::poll(&poller, 1, left(time_after(steady_clock::now(), patience))) <= 0) {
    throw std::runtime_error{"it did not exit in time; the log is:\n" + log_};
  }
  int status = 0;
  ::waitpid(pid_, &status, 0);
  reaped_ = true;
  wait_for_silence();
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void started_server::signal(int number) const {
  ::kill(pid_, number);
}

std::uint16_t started_server::client_port() const {
  std::smatch match;
  if (!std::regex_search(log_, match, std::regex{R"(ready: .* serves? 127\.0\.0\.1:(\d+) \(admin)"})) return 0;
  return static_cast<std::uint16_t>(std::stoi(match[1]));
}

std::uint16_t started_server::admin_port() const {
  std::smatch match;
  if (!std::regex_search(log_, match, std::regex{R"(ready: .* \(admin 127\.0\.0\.1:(\d+)\))"})) return 0;
  return static_cast<std::uint16_t>(std::stoi(match[1]));
}

int started_server::worker_pid(std::uint32_t slot) const {
  const std::regex started{fmt::format(R"(worker {}: started as pid (\d+))", slot)};
  int pid = 0;
  for (std::sregex_iterator at{log_.begin(), log_.end(), started}; at != std::sregex_iterator{}; ++at) {
    pid = std::stoi((*at)[1]);
  }
  return pid;
}

std::string started_server::admin(std::string_view request) const {
  const unique_fd socket = connect_to(admin_port());
  if (::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) return "send failed";
  std::string text;
  const auto deadline = time_after(steady_clock::now(), patience);
  while (true) {
    pollfd poller{socket.get(), POLLIN, 0};
    if (::poll(&poller, 1, left(deadline)) <= 0) throw std::runtime_error{"the admin does not answer"};
    char chunk[4096];
    const ssize_t size = ::recv(socket.get(), chunk, sizeof chunk, 0);
    if (size < 0) throw std::runtime_error{std::string{"the admin reset the connection after: "} + text};
    if (size == 0) return text;
    text.append(chunk, static_cast<std::size_t>(size));
  }
}

std::string started_server::get(std::string_view path) const {
  return admin(fmt::format("GET {} HTTP/1.1\r\nHost: grove\r\n\r\n", path));
}

unique_fd connect_to(std::uint16_t port) {
  unique_fd socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error{fmt::format("cannot connect to port {}", port)};
  }
  return socket;
}

}  // namespace grove::server
