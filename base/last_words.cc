// SPDX-License-Identifier: Apache-2.0
#include "base/last_words.h"

#include <execinfo.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/clock.h"
#include "base/fd.h"

namespace grove {
namespace {

using std::chrono::steady_clock;

/// A write of at most PIPE_BUF bytes to a descriptor that poll calls writable. Between the two another process may fill
/// the pipe; a kernel that can (pipes and sockets since Linux 6.4) then refuses instead of waiting.
ssize_t write_now(int fd, std::string_view bytes) noexcept {
  struct stat about {};
  const bool is_file = ::fstat(fd, &about) == 0 && S_ISREG(about.st_mode);
  iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
  const ssize_t written = is_file ? -1 : ::pwritev2(fd, &piece, 1, -1, RWF_NOWAIT);
  if (!is_file && (written >= 0 || errno == EAGAIN || errno == EINTR)) return written;
  return ::write(fd, bytes.data(), bytes.size());
}

}  // namespace

last_words::last_words(std::chrono::milliseconds patience) noexcept
    : deadline_{time_after(steady_clock::now(), patience)} {}

bool last_words::wait_until_writable() noexcept {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - steady_clock::now()).count();
  pollfd writable{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
  return ::poll(&writable, 1, static_cast<int>(std::max<long long>(left, 0))) > 0;
}

void last_words::say(std::string_view text) noexcept {
  while (!text.empty() && wait_until_writable()) {
    const ssize_t written = write_now(STDERR_FILENO, text.substr(0, PIPE_BUF));
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EAGAIN && errno != EINTR) {
      return;
    } else if (steady_clock::now() >= deadline_) {
      return;
    }
  }
}

void last_words::say_stack() noexcept {
  std::array<void*, 64> frames{};
  const int count = ::backtrace(frames.data(), static_cast<int>(frames.size()));
  // glibc writes them by itself and would wait: so into a pipe of our own, which holds more than they need.
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
    if (wait_until_writable()) ::backtrace_symbols_fd(frames.data(), count, STDERR_FILENO);
    return;
  }
  const unique_fd from{ends[0]};
  const unique_fd into{ends[1]};
  ::backtrace_symbols_fd(frames.data(), count, into.get());
  std::array<char, PIPE_BUF> piece{};
  for (ssize_t size = 0; (size = ::read(from.get(), piece.data(), piece.size())) > 0;)
    say({piece.data(), static_cast<std::size_t>(size)});
}

}  // namespace grove
