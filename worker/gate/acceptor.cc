// SPDX-License-Identifier: Apache-2.0
#include "worker/gate/acceptor.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "base/fatal.h"
#include "worker/gate/socket_stream.h"

namespace grove {
namespace {

// One connection at a wake-up, as gevent does with a shared listener: those that come at once spread over the workers.
constexpr int accepts_per_wake_up = 1;

// An accept that fails, for want of descriptors or memory, fails again at once, and so may an owner that throws; the loop
// must not spin on that.
constexpr std::chrono::milliseconds back_off{100};

// So many are turned away at a time while nobody has room; turns wait for it.
constexpr int turned_away_per_try = 64;

}  // namespace

acceptor::acceptor(hub& loop, const gate_listener& from, descriptor_reserve& reserve, acceptor_owner& owner)
    : hub_{loop}, speaks_{from.speaks}, reserve_{reserve}, owner_{owner}, socket_{loop.io()} {
  // A copy of its own: Asio closes what it is given.
  unique_fd copy{::fcntl(from.descriptor, F_DUPFD_CLOEXEC, 0)};
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
  if (!owner_.may_accept()) {
    arm_after(hub_, back_off);
    return;
  }
  socket_.async_wait(asio::ip::tcp::acceptor::wait_read, [this, alive = alive_](std::error_code error) {
    if (*alive && !error) attempt([this] { accept_some(); });
  });
}

/// Runs a step that ends with the next wait or pause. One that throws has come to neither, and this worker would never
/// accept again.
template <class Step>
void acceptor::attempt(Step step) {
  try {
    step();
  } catch (...) {
    hub_.report("accepting a connection", caught_error());
    if (socket_.is_open()) arm_after(hub_, back_off);
  }
}

void acceptor::accept_some() {
  for (int i = 0; i < accepts_per_wake_up && socket_.is_open(); ++i) {
    unique_fd connected = accept_one();
    if (connected) {
      take(std::move(connected));
    } else if (errno == EINVAL) {
      stop();  // The listener was shut down.
    } else if (is_shortage(errno)) {
      return on_shortage(errno);
    } else if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR) {
      arm_after(hub_, back_off);
      return;
    } else {
      break;  // Another worker was quicker, or the client has gone.
    }
  }
  wait();
}

void acceptor::take(unique_fd connected) {
  std::error_code error;
  if (auto stream = socket_stream::make(hub_.io(), connected, error)) {
    owner_.accepted(std::move(stream), speaks_);
  } else {
    owner_.turn_away(std::move(connected), speaks_, error.value());
  }
}

unique_fd acceptor::accept_one() {
  return unique_fd{::accept4(socket_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
}

void acceptor::on_shortage(int error) {
  shortage_ = error;
  owner_.ran_short(error);
  if (!owner_.others_have_room()) turn_some_away(error);
  arm_after(hub_, back_off);
}

void acceptor::turn_some_away(int error) {
  for (int i = 0; i < turned_away_per_try; ++i) {
    reserve_.release();
    unique_fd connected = accept_one();
    const bool any = static_cast<bool>(connected);
    try {
      if (any) owner_.turn_away(std::move(connected), speaks_, error);
    } catch (...) {
      (void)reserve_.retake();  // Without it nobody could be turned away any more.
      throw;
    }
    if (!reserve_.retake() || !any) return;
  }
}

// Of a listener without connections accept says EMFILE too.
bool acceptor::somebody_waits() {
  pollfd listener{socket_.native_handle(), POLLIN, 0};
  return ::poll(&listener, 1, 0) > 0;
}

void acceptor::expired() {
  if (socket_.is_open()) attempt([this] { look_at_shortage(); });
}

void acceptor::look_at_shortage() {
  if (shortage_ != 0 && !reserve_.has_spare()) {
    if (somebody_waits()) return on_shortage(shortage_);
    arm_after(hub_, back_off);
    return;
  }
  shortage_ = 0;
  wait();
}

}  // namespace grove
