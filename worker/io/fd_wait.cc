// SPDX-License-Identifier: Apache-2.0
#include "worker/io/fd_wait.h"

#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <ctime>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "worker/greenlet/off_stack.h"
#include "worker/hub/background_wait.h"
#include "worker/hub/hub.h"
#include "worker/hub/hub_hold.h"
#include "worker/hub/waiter.h"

namespace grove {

namespace {

enum direction : std::uint8_t { reading, writing, urgent, directions };

constexpr std::array<unsigned, directions> events_of = {POLLIN | POLLRDNORM | POLLRDBAND | POLLRDHUP,
                                                        POLLOUT | POLLWRNORM | POLLWRBAND, POLLPRI};

/// Those of `events` that belong to the direction. A wait for none but errors is put with urgent data.
bool goes(unsigned events, std::size_t direction) noexcept {
  constexpr unsigned any = events_of[reading] | events_of[writing] | events_of[urgent];
  return (events & events_of.at(direction)) != 0 || (direction == urgent && (events & any) == 0);
}

[[noreturn]] void fail(const char* call, int fd, int error = errno) {
  throw std::system_error(error, std::system_category(), std::string(call) + " descriptor " + std::to_string(fd));
}

/// The descriptors that greenlets of one hub wait for. What is written while they wait is here and in their waiters,
/// nowhere else on their stacks.
class fd_waits final : public asio::execution_context::service {
 public:
  static asio::execution_context::id id;

  explicit fd_waits(asio::io_context& io) : service(io), set_(io, [this] { take_events(); }) {
    const int fd = ::epoll_create1(EPOLL_CLOEXEC);
    if (fd < 0) throw std::system_error(errno, std::system_category(), "epoll_create1");
    set_.begin(fd);
  }

  void add(int fd, unsigned events, waiter& by);
  /// Idempotent.
  void remove(int fd, const waiter& by) noexcept;
  std::size_t cancel(int fd) noexcept;
  /// True, once, if the wait for `fd` was cancelled.
  bool take_cancelled(int fd, const waiter& by) noexcept { return std::erase(cancelled_, std::pair(fd, &by)) > 0; }

 private:
  struct place {
    waiter* by = nullptr;
    unsigned events = 0;
  };
  struct watched {
    std::uint32_t registration = 0;  // tells late events of a number's former file apart
    bool registered = false;
    std::array<place, directions> places;
  };

  void shutdown() override { set_.close(); }
  void take_events();
  void happened(watched& at, int fd, unsigned events);
  /// Brings the set in line with who waits: 0 or the errno.
  int update(int fd) noexcept;

  background_wait set_;
  std::vector<watched> watched_;  // by descriptor
  std::vector<std::pair<int, const waiter*>> cancelled_;
};

asio::execution_context::id fd_waits::id;

void fd_waits::add(int fd, unsigned events, waiter& by) {
  const auto index = static_cast<std::size_t>(fd);
  if (index >= watched_.size()) watched_.resize(index + 1);
  watched& at = watched_[index];
  for (std::size_t i = 0; i < directions; ++i) {
    if (goes(events, i) && at.places.at(i).by != nullptr && at.places.at(i).by != &by)
      throw concurrent_use("another greenlet waits already for descriptor " + std::to_string(fd) +
                           " in the same direction");
  }
  for (std::size_t i = 0; i < directions; ++i) {
    if (!goes(events, i)) continue;
    at.places.at(i).by = &by;
    at.places.at(i).events |= events & events_of.at(i);
  }
  if (const int error = update(fd); error != 0) fail("waiting for", fd, error);
}

void fd_waits::remove(int fd, const waiter& by) noexcept {
  if (static_cast<std::size_t>(fd) >= watched_.size()) return;
  bool found = false;
  for (place& at : watched_[static_cast<std::size_t>(fd)].places) {
    if (at.by != &by) continue;
    at = {};
    found = true;
  }
  if (found) (void)update(fd);
}

std::size_t fd_waits::cancel(int fd) noexcept {
  const auto index = static_cast<std::size_t>(fd);
  if (fd < 0 || index >= watched_.size()) return 0;
  std::size_t woken = 0;
  for (place& at : watched_[index].places) {
    waiter* by = std::exchange(at, {}).by;
    if (by == nullptr) continue;
    const std::pair<int, const waiter*> note(fd, by);
    if (std::find(cancelled_.begin(), cancelled_.end(), note) != cancelled_.end()) continue;
    cancelled_.push_back(note);
    by->wake();
    ++woken;
  }
  (void)update(fd);
  return woken;
}

int fd_waits::update(int fd) noexcept {
  watched& at = watched_[static_cast<std::size_t>(fd)];
  epoll_event wanted{};
  bool any = false;
  for (const place& p : at.places) {
    any |= p.by != nullptr;
    wanted.events |= p.events;
  }
  if (!any) {
    // The number may belong to nobody now, or to another file: then there is nothing to delete.
    if (std::exchange(at.registered, false)) ::epoll_ctl(set_.fd(), EPOLL_CTL_DEL, fd, nullptr);
    return 0;
  }
  wanted.events |= EPOLLONESHOT;
  wanted.data.u64 = std::uint64_t{++at.registration} << 32U | static_cast<std::uint32_t>(fd);
  const int set = set_.fd();
  // The number may be another file than at the last time.
  if (at.registered && ::epoll_ctl(set, EPOLL_CTL_MOD, fd, &wanted) == 0) return 0;
  at.registered = ::epoll_ctl(set, EPOLL_CTL_ADD, fd, &wanted) == 0;
  if (at.registered) return 0;
  // A file without readiness: what poll(2) has not reported at once will never happen.
  return errno == EPERM ? 0 : errno;
}

void fd_waits::take_events() {
  constexpr int events_max = 64;  // what is left is reported again
  std::array<epoll_event, events_max> events{};
  const int count = ::epoll_wait(set_.fd(), events.data(), events_max, 0);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events.at(static_cast<std::size_t>(i));
    const auto fd = static_cast<std::uint32_t>(event.data.u64);
    if (fd >= watched_.size() || watched_[fd].registration != event.data.u64 >> 32U) continue;
    happened(watched_[fd], static_cast<int>(fd), event.events);
  }
}

void fd_waits::happened(watched& at, int fd, unsigned events) {
  for (place& p : at.places) {
    if (p.by == nullptr || (events & (p.events | EPOLLERR | EPOLLHUP)) == 0) continue;
    p.by->wake();
    p = {};
  }
  (void)update(fd);
}

/// The descriptors of one wait are in the set as long as this exists.
class registration {
 public:
  registration(fd_waits& in, waiter& by, std::span<const pollfd> fds) : in_(in), by_(by), fds_(fds) {
    try {
      for (; added_ < fds.size(); ++added_) {
        if (fds[added_].fd >= 0) in_.add(fds[added_].fd, static_cast<unsigned short>(fds[added_].events), by_);
      }
    } catch (...) {
      ++added_;  // it may have taken its places, though it is not in the set
      take_back();
      throw;
    }
  }
  ~registration() { take_back(); }
  registration(const registration&) = delete;
  registration& operator=(const registration&) = delete;

 private:
  void take_back() noexcept {
    for (const pollfd& at : fds_.first(added_)) {
      if (at.fd < 0) continue;
      in_.remove(at.fd, by_);
    }
  }

  fd_waits& in_;
  waiter& by_;
  std::span<const pollfd> fds_;
  std::size_t added_ = 0;
};

std::size_t look(std::span<pollfd> fds) {
  for (;;) {
    const int ready = ::poll(fds.data(), fds.size(), 0);
    if (ready >= 0) return static_cast<std::size_t>(ready);
    if (errno != EINTR) throw std::system_error(errno, std::system_category(), "poll");
  }
}

/// Marks what was cancelled, whatever a look has found there: the number may be another file by now. Returns how many
/// are ready then.
std::size_t mark_cancelled(fd_waits& waits, const waiter& by, std::span<pollfd> fds) noexcept {
  for (const pollfd& at : fds) {
    if (!waits.take_cancelled(at.fd, by)) continue;
    for (pollfd& same : fds) {
      if (same.fd == at.fd) same.revents = POLLNVAL;
    }
  }
  return static_cast<std::size_t>(
      std::count_if(fds.begin(), fds.end(), [](const pollfd& at) { return at.revents != 0; }));
}

bool wait_for(int fd, short events, std::optional<steady_time> until) {
  if (fd < 0) fail("waiting for", fd, EBADF);
  pollfd one{.fd = fd, .events = events, .revents = 0};
  const bool ready = poll_fds({&one, 1}, until) > 0;
  if ((one.revents & POLLNVAL) != 0) fail("waiting for", fd, EBADF);
  return ready;
}

/// Keeps SIGPIPE from this thread, and takes one that has come back.
class without_sigpipe {
 public:
  without_sigpipe() noexcept {
    ::sigemptyset(&pipe_);
    ::sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    ::sigpending(&pending);
    was_pending_ = ::sigismember(&pending, SIGPIPE) == 1;
    ::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~without_sigpipe() {
    const int error = errno;
    constexpr timespec at_once{};
    if (error == EPIPE && !was_pending_) ::sigtimedwait(&pipe_, nullptr, &at_once);
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    errno = error;
  }
  without_sigpipe(const without_sigpipe&) = delete;
  without_sigpipe& operator=(const without_sigpipe&) = delete;

 private:
  sigset_t pipe_;
  sigset_t before_;
  bool was_pending_;
};

template <typename Call, typename Wait>
std::optional<std::size_t> transfer(const char* what, int fd, Call call, Wait wait) {
  for (;;) {
    const ssize_t size = call();
    if (size >= 0) return static_cast<std::size_t>(size);
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) fail(what, fd);
    if (!wait()) return std::nullopt;
  }
}

}  // namespace

std::size_t poll_fds(std::span<pollfd> fds, std::optional<steady_time> until) {
  for (;;) {
    if (const std::size_t ready = look(fds); ready > 0) return ready;
    hub& on = hub::current();
    if (until && *until <= on.now()) return 0;
    auto& waits = asio::use_service<fd_waits>(on.io());
    const off_stack<waiter> kept(on);
    waiter& self = *kept;
    struct notes {
      fd_waits& in;
      const waiter& by;
      std::span<const pollfd> of;
      ~notes() {
        for (const pollfd& at : of)
          (void)in.take_cancelled(at.fd, by);
      }
    } const guard{waits, self, fds};
    const registration registered(waits, self, fds);
    const hub_hold pending(on);
    if (until) {
      if (!self.wait_until(*until)) return 0;
    } else {
      self.wait();
    }
    (void)look(fds);
    if (const std::size_t ready = mark_cancelled(waits, self, fds); ready > 0) return ready;
    // Somebody else was quicker.
  }
}

bool wait_readable(int fd, std::optional<steady_time> until) {
  return wait_for(fd, POLLIN, until);
}

bool wait_writable(int fd, std::optional<steady_time> until) {
  return wait_for(fd, POLLOUT, until);
}

std::size_t cancel_waits(int fd) noexcept {
  hub* on = hub::current_or_null();
  if (on == nullptr || !asio::has_service<fd_waits>(on->io())) return 0;
  return asio::use_service<fd_waits>(on->io()).cancel(fd);
}

std::optional<std::size_t> read_fd(int fd, std::span<char> into, std::optional<steady_time> until) {
  return transfer(
      "reading from", fd, [&] { return ::read(fd, into.data(), into.size()); },
      [&] { return wait_readable(fd, until); });
}

std::optional<std::size_t> write_fd(int fd, std::string_view bytes, std::optional<steady_time> until) {
  return transfer(
      "writing to", fd,
      [&] {
        const without_sigpipe guard;
        return ::write(fd, bytes.data(), bytes.size());
      },
      [&] { return wait_writable(fd, until); });
}

}  // namespace grove
