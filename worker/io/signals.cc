// SPDX-License-Identifier: Apache-2.0
#include "worker/io/signals.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <asio/execution_context.hpp>
#include <bit>
#include <cerrno>
#include <system_error>
#include <vector>

#include "base/check.h"
#include "worker/greenlet/off_stack.h"
#include "worker/hub/background_wait.h"
#include "worker/hub/hub.h"
#include "worker/hub/hub_hold.h"
#include "worker/hub/waiter.h"
#include "worker/io/internal/signal_inbox.h"
#include "worker/tasks/task.h"

namespace grove::io::detail {

/// Someone who asks for one signal in one hub.
class signal_subscription {
 public:
  signal_subscription(int number, unique_function<void(int)> call) noexcept
      : signal(number), arrived(std::move(call)) {}
  int signal;
  unique_function<void(int)> arrived;  // in the hub's context
  signal_service* in = nullptr;        // null when the hub has gone
};

/// One hub's.
class signal_service final : public asio::execution_context::service {
 public:
  static asio::execution_context::id id;

  explicit signal_service(asio::io_context& io)
      : service(io), inbox_(take_signal_inbox()), wakes_(io, [this] { look(); }) {
    const int fd = ::fcntl(inbox_.wake_fd.load(), F_DUPFD_CLOEXEC, 0);
    if (fd < 0) {
      const int error = errno;
      give_back(inbox_);
      throw std::system_error(error, std::system_category(), "eventfd for signals");
    }
    wakes_.begin(fd);
  }

  void add(signal_subscription& wants) {
    hold_disposition(wants.signal);
    wants.in = this;
    all_.push_back(&wants);
    inbox_.wanted.fetch_or(signal_bit(wants.signal), std::memory_order_release);
  }
  void remove(signal_subscription& gone) noexcept {
    gone.in = nullptr;
    const std::size_t removed = std::erase(all_, &gone);
    GROVE_CHECK(removed == 1, "who asked for a signal is listed twice, or not at all");
    // First the disposition: a signal that comes in between must not be lost to nobody.
    release_disposition(gone.signal);
    if (std::none_of(all_.begin(), all_.end(), [&](const auto* at) { return at->signal == gone.signal; }))
      inbox_.wanted.fetch_and(~signal_bit(gone.signal), std::memory_order_release);
  }

 private:
  void shutdown() override {
    while (!all_.empty())
      remove(*all_.back());
    wakes_.close();
    give_back(inbox_);
  }
  void look() {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t bytes = ::read(wakes_.fd(), &count, sizeof count);
    deliver(inbox_.arrived.exchange(0, std::memory_order_acquire));
  }
  void deliver(signal_bits arrived) {
    // Calls only spawn and wake: nobody comes or goes meanwhile.
    for (signal_subscription* at : all_) {
      if ((arrived & signal_bit(at->signal)) != 0) at->arrived(at->signal);
    }
  }

  signal_inbox& inbox_;
  background_wait wakes_;
  std::vector<signal_subscription*> all_;
};

asio::execution_context::id signal_service::id;

namespace {

signal_subscription_ptr subscribe_directly(hub& on, int signal, unique_function<void(int)> arrived) {
  signal_subscription_ptr made(new signal_subscription(signal, std::move(arrived)));
  asio::use_service<signal_service>(on.io()).add(*made);
  return made;
}

}  // namespace

void signal_unsubscribe::operator()(signal_subscription* gone) const noexcept {
  if (gone->in != nullptr) gone->in->remove(*gone);
  delete gone;
}

signal_subscription_ptr subscribe(int signal, unique_function<void(int)> call) {
  hub& on = hub::current();
  // Shared: the handle may go while a handler runs.
  auto held = std::make_shared<unique_function<void(int)>>(std::move(call));
  return subscribe_directly(on, signal, [&on, held](int number) { spawn_on(on, [held, number] { (*held)(number); }); });
}

struct watched_signals {
  explicit watched_signals(hub& in) noexcept : on(in) {}
  hub& on;
  signal_bits come = 0;
  waiter_list waiters;
  std::vector<signal_subscription_ptr> subscriptions;
};

}  // namespace grove::io::detail

namespace grove {

signal_watch::signal_watch(std::initializer_list<int> signals)
    : state_(std::make_unique<io::detail::watched_signals>(hub::current())) {
  for (const int signal : signals) {
    state_->subscriptions.push_back(
        io::detail::subscribe_directly(state_->on, signal, [state = state_.get()](int number) {
          state->come |= io::detail::signal_bit(number);
          state->waiters.wake_all();
        }));
  }
}

signal_watch::~signal_watch() = default;

std::optional<int> signal_watch::wait(std::optional<steady_time> until) {
  const hub_hold pending(state_->on);
  while (state_->come == 0) {
    const off_stack<waiter> until_one(state_->on);
    state_->waiters.push(*until_one);
    if (!until)
      until_one->wait();
    else if (!until_one->wait_until(*until))
      return std::nullopt;
  }
  const int lowest = std::countr_zero(state_->come);
  state_->come &= state_->come - 1;
  return lowest + 1;
}

std::optional<int> wait_signal(std::initializer_list<int> signals, std::optional<steady_time> until) {
  return signal_watch(signals).wait(until);
}

}  // namespace grove
