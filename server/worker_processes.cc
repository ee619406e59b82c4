// SPDX-License-Identifier: Apache-2.0
#include "server/worker_processes.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <system_error>
#include <utility>

#include "base/process/inherited_fds.h"
#include "grove/v1/control.pb.h"
#include "server/control.h"
#include "server/process.h"

namespace grove::server {
namespace {

[[noreturn]] void throw_errno(const char* what) {
  throw std::system_error{errno, std::generic_category(), what};
}

unique_fd duplicate(int fd, int floor) {
  unique_fd copy{::fcntl(fd, F_DUPFD_CLOEXEC, floor)};
  if (!copy) throw_errno("duplicating a descriptor for the workers (see ulimit -n)");
  return copy;
}

}  // namespace

/// One process. The handlers that wait for it share it, so that it may go away in the middle of one.
struct worker_processes::process {
  process(asio::io_context& io, child_process&& child) : pidfd{std::move(child.pidfd)}, end{io} {
    unique_fd copy = duplicate(pidfd.get(), 0);
    end.assign(copy.get());
    (void)copy.release();
  }

  unique_fd pidfd;
  asio::posix::stream_descriptor end;
  std::shared_ptr<control_channel> control;
};

worker_processes::worker_processes(asio::io_context& io, std::string program, std::uint32_t workers, int shared_memory,
                                   int listener, worker_events on)
    : io_{io},
      program_{std::move(program)},
      floor_{std::max(256, inherited_fds::wake(workers))},
      shared_memory_{duplicate(shared_memory, floor_)},
      listener_{duplicate(listener, floor_)},
      processes_(workers),
      on_{std::move(on)} {
  for (std::uint32_t slot = 0; slot < workers; ++slot) {
    unique_fd wake{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
    if (!wake) throw_errno("eventfd");
    int pair[2] = {-1, -1};
    if (::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0) throw_errno("socketpair");
    unique_fd receive{pair[0]};
    unique_fd send{pair[1]};
    peers_.push_back({move_above(std::move(wake), floor_), move_above(std::move(receive), floor_),
                      move_above(std::move(send), floor_)});
  }
}

worker_processes::~worker_processes() {
  for (const auto& one : processes_) {
    if (!one) continue;
    one->control->close();
    std::error_code ignored;
    one->end.close(ignored);
  }
}

spawn_result worker_processes::start(std::uint32_t slot) {
  try {
    control_pair pair = make_control_pair();
    const unique_fd theirs = move_above(std::move(pair.theirs), floor_);
    spawn_request request;
    request.program = program_;
    request.arguments = {"--slot", std::to_string(slot)};
    request.descriptors = {{theirs.get(), inherited_fds::control},
                           {shared_memory_.get(), inherited_fds::shared_memory},
                           {listener_.get(), inherited_fds::listener}};
    for (std::uint32_t peer = 0; peer < peers_.size(); ++peer) {
      request.descriptors.push_back({peers_[peer].wake.get(), inherited_fds::wake(peer)});
      request.descriptors.push_back({peers_[peer].handoff_receive.get(), inherited_fds::handoff_receive(peer)});
      request.descriptors.push_back({peers_[peer].handoff_send.get(), inherited_fds::handoff_send(peer)});
    }
    request.close_from = inherited_fds::wake(static_cast<std::uint32_t>(peers_.size()));

    child_process child = spawn_process(request);
    const int pid = child.pid;
    try {
      adopt(slot, std::move(child), std::move(pair.ours));
    } catch (...) {
      // Nobody would ever wait for it, and the slot must not have two owners.
      end_process(pid);
      throw;
    }
    return {pid, {}};
  } catch (const std::system_error& failure) {
    return {0, failure.what()};
  }
}

void worker_processes::adopt(std::uint32_t slot, child_process&& child, unique_fd control) {
  auto started = std::make_shared<process>(io_, std::move(child));
  started->control = std::make_shared<control_channel>(
      io_, std::move(control),
      control_channel::events{[this, slot](const v1::ControlMessage& message) { on_.message(slot, message); },
                              [this, slot](std::string_view why) { on_.control_lost(slot, why); }});
  started->control->open();
  watch(slot, started);
  processes_[slot] = std::move(started);
}

void worker_processes::watch(std::uint32_t slot, const std::shared_ptr<process>& started) {
  started->end.async_wait(asio::posix::stream_descriptor::wait_read,
                          [this, slot, started](const std::error_code& error) {
                            if (!error) reap(slot, started);
                          });
}

void worker_processes::reap(std::uint32_t slot, const std::shared_ptr<process>& ended) {
  const auto status = try_reap(ended->pidfd);
  if (!status) return watch(slot, ended);
  // Its last words may still be in the socket.
  ended->control->read_what_is_there();
  ended->control->close();
  processes_[slot].reset();
  on_.exit(slot, *status);
}

bool worker_processes::send(std::uint32_t slot, const v1::ControlMessage& message) {
  return processes_[slot] && processes_[slot]->control->send(message);
}

void worker_processes::signal(std::uint32_t slot, int signal) {
  if (processes_[slot]) send_signal(processes_[slot]->pidfd, signal);
}

void worker_processes::stop_listening() {
  // Closing it would not do: every worker has a copy. A shut down socket listens in none of them.
  ::shutdown(listener_.get(), SHUT_RD);
}

void worker_processes::poke_all() {
  const std::uint64_t one = 1;
  for (const peer_fds& peer : peers_) {
    // It fails only when the counter is full, and then the worker wakes up anyway.
    [[maybe_unused]] const ssize_t written = ::write(peer.wake.get(), &one, sizeof one);
  }
}

}  // namespace grove::server
