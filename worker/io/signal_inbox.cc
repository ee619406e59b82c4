// SPDX-License-Identifier: Apache-2.0
#include "worker/io/internal/signal_inbox.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <mutex>
#include <string>
#include <system_error>

#include "base/check.h"

namespace grove::io::detail {

namespace {

constexpr int signals_end = 65;

struct disposition {
  unsigned holders = 0;
  struct sigaction before {};
};

constinit std::array<signal_inbox, signal_inboxes_max> inboxes{};
constinit std::mutex dispositions_mutex;
constinit std::array<disposition, signals_end> dispositions{};

void on_arrival(int signal) {
  const int error = errno;
  const signal_bits bit = signal_bit(signal);
  for (signal_inbox& inbox : inboxes) {
    if ((inbox.wanted.load(std::memory_order_acquire) & bit) == 0) continue;
    inbox.arrived.fetch_or(bit, std::memory_order_release);
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(inbox.wake_fd.load(std::memory_order_relaxed), &one, sizeof one);
  }
  errno = error;
}

[[noreturn]] void fail(int signal, int error) {
  throw std::system_error(error, std::system_category(), "handling signal " + std::to_string(signal));
}

}  // namespace

signal_inbox& take_signal_inbox() {
  for (signal_inbox& inbox : inboxes) {
    if (inbox.taken.exchange(true, std::memory_order_acq_rel)) continue;
    if (inbox.wake_fd.load(std::memory_order_relaxed) < 0) {
      const int fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
      if (fd < 0) {
        inbox.taken.store(false, std::memory_order_release);
        throw std::system_error(errno, std::system_category(), "eventfd for signals");
      }
      inbox.wake_fd.store(fd, std::memory_order_release);
    }
    return inbox;
  }
  throw std::system_error(ENOSPC, std::system_category(),
                          "more than " + std::to_string(signal_inboxes_max) + " hubs listen to signals");
}

void give_back(signal_inbox& inbox) noexcept {
  inbox.wanted.store(0, std::memory_order_release);
  inbox.arrived.store(0, std::memory_order_release);
  inbox.taken.store(false, std::memory_order_release);
}

void hold_disposition(int signal) {
  // A handler of a fault would return to the fault.
  const bool is_fault = signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE || signal == SIGILL;
  if (signal <= 0 || signal >= signals_end || is_fault) fail(signal, EINVAL);
  const std::lock_guard lock(dispositions_mutex);
  disposition& at = dispositions.at(static_cast<std::size_t>(signal));
  if (at.holders == 0) {
    struct sigaction ours {};
    ours.sa_handler = on_arrival;
    ours.sa_flags = SA_RESTART;
    ::sigemptyset(&ours.sa_mask);
    if (::sigaction(signal, &ours, &at.before) != 0) fail(signal, errno);
  }
  ++at.holders;
}

void release_disposition(int signal) noexcept {
  const std::lock_guard lock(dispositions_mutex);
  disposition& at = dispositions.at(static_cast<std::size_t>(signal));
  GROVE_CHECK(at.holders > 0, "a signal's disposition is released more often than it was held");
  if (--at.holders > 0) return;
  struct sigaction now {};
  ::sigaction(signal, nullptr, &now);
  if (now.sa_handler == on_arrival) ::sigaction(signal, &at.before, nullptr);
}

}  // namespace grove::io::detail
