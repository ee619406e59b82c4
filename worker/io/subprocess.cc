// SPDX-License-Identifier: Apache-2.0
#include "worker/io/subprocess.h"

#include <fcntl.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <span>
#include <system_error>

#include "worker/greenlet/check_stack.h"
#include "worker/hub/hub.h"
#include "worker/io/fd_wait.h"
#include "worker/io/internal/spawn_process.h"

extern char** environ;

namespace grove {

namespace {

void close(unique_fd& fd) noexcept {
  if (!fd) return;
  cancel_waits(fd.get());
  fd.reset();
}

}  // namespace

std::vector<std::string> environment_with(const std::vector<std::pair<std::string, std::string>>& added) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const bool replaced = std::any_of(added.begin(), added.end(), [text](const auto& variable) {
      const std::string& name = variable.first;
      return text.size() > name.size() && text[name.size()] == '=' && text.starts_with(name);
    });
    if (!replaced) all.emplace_back(text);
  }
  for (const auto& [name, value] : added)
    all.push_back(name + "=" + value);
  return all;
}

struct subprocess::state {
  state(std::string name, std::size_t output_max, io::detail::started_process started)
      : program(std::move(name)), output_bytes_max(output_max), process(std::move(started)), takes_input(process.in) {}

  std::optional<exit_status> look() {
    if (lost) throw std::system_error(ECHILD, std::system_category(), "the status of " + program);
    if (status) return status;
    try {
      status = io::detail::collect(process.pidfd.get());
    } catch (const std::system_error&) {
      lost = true;
      throw std::system_error(ECHILD, std::system_category(), "the status of " + program);
    }
    return status;
  }

  std::optional<exit_status> wait(std::optional<steady_time> until) {
    if (look()) return status;
    // One of its own: any number of greenlets may wait, and this object may be dropped meanwhile.
    const unique_fd ended(::fcntl(process.pidfd.get(), F_DUPFD_CLOEXEC, 0));
    if (!ended) throw std::system_error(errno, std::system_category(), "waiting for " + program);
    while (!look()) {
      if (!wait_readable(ended.get(), until)) return std::nullopt;
    }
    return status;
  }

  /// Collects a killed child when the loop sees its end, at the latest when the loop goes.
  static void collect_later(hub& on, std::shared_ptr<state> killed);
  void collect_now() noexcept;

  void write_input();
  void read_output(unique_fd& from, std::string& into);
  bool transfer(std::optional<steady_time> until);

  std::string program;
  std::size_t output_bytes_max;
  io::detail::started_process process;
  bool takes_input;
  std::optional<exit_status> status;
  bool lost = false;
  bool dropped = false;
  std::string input;  // what communicate() has not done yet
  std::size_t written = 0;
  output collected;
  std::vector<char> room;
};

void subprocess::state::collect_now() noexcept {
  try {
    while (!look()) {
      pollfd end{.fd = process.pidfd.get(), .events = POLLIN, .revents = 0};
      (void)::poll(&end, 1, -1);
    }
  } catch (const std::system_error&) {
    // Collected by somebody else.
  }
}

void subprocess::state::collect_later(hub& on, std::shared_ptr<state> killed) {
  struct collector {
    collector(hub& in, std::shared_ptr<state> child)
        : of(std::move(child)), end(in.io(), ::fcntl(of->process.pidfd.get(), F_DUPFD_CLOEXEC, 0)) {}
    ~collector() { of->collect_now(); }
    collector(const collector&) = delete;
    collector& operator=(const collector&) = delete;
    std::shared_ptr<state> of;  // waits that are under way look for the status there
    asio::posix::stream_descriptor end;
  };
  auto made = std::make_unique<collector>(on, std::move(killed));
  asio::posix::stream_descriptor& end = made->end;
  end.async_wait(asio::posix::descriptor_base::wait_read, [made = std::move(made)](const asio::error_code&) {});
}

void subprocess::state::write_input() {
  try {
    if (written < input.size()) {
      const std::string_view rest = std::string_view(input).substr(written);
      written += write_fd(process.in.get(), rest, steady_time::min()).value_or(0);
    }
    if (written < input.size()) return;
  } catch (const std::system_error& error) {
    if (error.code().value() != EPIPE) throw;  // a child need not read all
  }
  close(process.in);
}

void subprocess::state::read_output(unique_fd& from, std::string& into) {
  const std::optional<std::size_t> size = read_fd(from.get(), room, steady_time::min());
  if (!size) return;
  if (*size == 0) return close(from);
  if (*size > output_bytes_max - collected.out.size() - collected.err.size())
    throw output_too_long(program + " has written more than output_bytes_max, " + std::to_string(output_bytes_max));
  into.append(room.data(), *size);
}

/// False at `until`.
bool subprocess::state::transfer(std::optional<steady_time> until) {
  constexpr std::size_t room_bytes = std::size_t{64} << 10U;
  room.resize(room_bytes);
  while (process.in || process.out || process.err || dropped) {
    if (dropped) throw std::system_error(EBADF, std::system_category(), "the pipes of " + program);
    std::array<pollfd, 3> all{pollfd{process.in.get(), POLLOUT, 0}, pollfd{process.out.get(), POLLIN, 0},
                              pollfd{process.err.get(), POLLIN, 0}};
    if (poll_fds(all, until) == 0) return false;
    if (all[0].revents != 0) write_input();
    if (all[1].revents != 0) read_output(process.out, collected.out);
    if (all[2].revents != 0) read_output(process.err, collected.err);
    if (until && *until <= hub::current().now()) return false;
    yield();  // a child may be quicker than we are, for ever
  }
  return true;
}

subprocess subprocess::start(const std::vector<std::string>& argv, const subprocess_options& options) {
  check_stack();
  io::detail::started_process started = io::detail::spawn_process(argv, options);
  return subprocess(std::make_shared<state>(argv.front(), options.output_bytes_max, std::move(started)));
}

subprocess::finished subprocess::run(const std::vector<std::string>& argv, subprocess_options options,
                                     std::string_view input, std::optional<steady_time> until) {
  if (!input.empty() && options.in.what == stdio::kind::inherited) options.in = stdio::pipe();
  subprocess child = start(argv, options);
  std::optional<output> all = child.communicate(input, until);
  if (!all) throw timed_out(argv.front() + " has not ended in time");
  return {*child.state_->status, std::move(all->out), std::move(all->err)};
}

std::string subprocess::check_output(const std::vector<std::string>& argv, subprocess_options options,
                                     std::string_view input, std::optional<steady_time> until) {
  options.out = stdio::pipe();
  finished result = run(argv, std::move(options), input, until);
  if (result.status.success()) return std::move(result.out);
  const exit_status& status = result.status;
  const std::string how = status.signal != 0 ? " was ended by signal " + std::to_string(status.signal)
                                             : " has failed with code " + std::to_string(status.code);
  throw failed(argv.front() + how, std::move(result));
}

subprocess& subprocess::operator=(subprocess&& other) noexcept {
  if (this == &other) return *this;
  drop();
  state_ = std::move(other.state_);
  return *this;
}

subprocess::~subprocess() {
  drop();
}

void subprocess::drop() noexcept {
  if (state_ == nullptr) return;
  const std::shared_ptr<state> dropped = std::move(state_);
  dropped->dropped = true;
  close(dropped->process.in);
  close(dropped->process.out);
  close(dropped->process.err);
  try {
    if (dropped->look()) return;
  } catch (const std::system_error&) {
    return;
  }
  io::detail::send_signal(dropped->process.pidfd.get(), SIGKILL);
  try {
    if (hub* on = hub::current_or_null()) return state::collect_later(*on, dropped);
  } catch (const std::exception&) {
    // No descriptor or no memory to wait with in the loop.
  }
  dropped->collect_now();
}

pid_t subprocess::pid() const noexcept {
  return state_->process.pid;
}
int subprocess::in_fd() const noexcept {
  return state_->process.in.get();
}
int subprocess::out_fd() const noexcept {
  return state_->process.out.get();
}
int subprocess::err_fd() const noexcept {
  return state_->process.err.get();
}
void subprocess::close_in() noexcept {
  close(state_->process.in);
}

std::optional<exit_status> subprocess::poll() {
  return state_->look();
}

std::optional<exit_status> subprocess::wait(std::optional<steady_time> until) {
  const std::shared_ptr<state> held = state_;
  return held->wait(until);
}

std::optional<subprocess::output> subprocess::communicate(std::string_view input, std::optional<steady_time> until) {
  const std::shared_ptr<state> held = state_;
  if (!input.empty() && !held->takes_input)
    throw std::invalid_argument("the standard input of " + held->program + " is no pipe");
  if (held->process.in) held->input += input;
  if (!held->transfer(until) || !held->wait(until)) return std::nullopt;
  return std::move(held->collected);
}

bool subprocess::send_signal(int signal) noexcept {
  if (state_->status || state_->lost) return false;
  return io::detail::send_signal(state_->process.pidfd.get(), signal);
}
bool subprocess::terminate() noexcept {
  return send_signal(SIGTERM);
}
bool subprocess::kill() noexcept {
  return send_signal(SIGKILL);
}

}  // namespace grove
