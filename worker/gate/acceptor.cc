// SPDX-License-Identifier: Apache-2.0
#include "worker/gate/acceptor.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace grove {
namespace {

// One connection at a wake-up, as gevent does with a shared listener: those that come at once spread over the workers.
constexpr int accepts_per_wake_up = 1;

// An accept that fails, for want of descriptors or memory, fails again at once; the loop must not spin on that.
constexpr std::chrono::milliseconds back_off{100};

}  // namespace

acceptor::acceptor(hub& on, int listener, std::function<bool()> may_accept, on_connection connected)
    : hub_{on}, may_accept_{std::move(may_accept)}, connected_{std::move(connected)}, socket_{on.io()} {
  // A copy of its own: Asio closes what it is given.
  unique_fd copy{::fcntl(listener, F_DUPFD_CLOEXEC, 0)};
  if (!copy) throw std::system_error{errno, std::generic_category(), "duplicating the listening socket"};
  socket_.assign(asio::ip::tcp::v4(), copy.get());
  (void)copy.release();
  socket_.non_blocking(true);
  wait();
}

acceptor::~acceptor() {
  *alive_ = false;
  stop();
}

void acceptor::stop() {
  disarm();
  std::error_code ignored;
  socket_.close(ignored);
}

void acceptor::wait() {
  if (!socket_.is_open()) return;
  if (!may_accept_()) {
    arm_after(hub_, back_off);
    return;
  }
  socket_.async_wait(asio::ip::tcp::acceptor::wait_read, [this, alive = alive_](std::error_code error) {
    if (*alive && !error) accept_some();
  });
}

void acceptor::accept_some() {
  for (int i = 0; i < accepts_per_wake_up && socket_.is_open(); ++i) {
    unique_fd connected{::accept4(socket_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
    if (connected) {
      connected_(std::move(connected));
    } else if (errno == EINVAL) {
      stop();  // The listener was shut down.
    } else if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR) {
      arm_after(hub_, back_off);
      return;
    } else {
      break;  // Another worker was quicker, or the client has gone.
    }
  }
  wait();
}

}  // namespace grove
