// SPDX-License-Identifier: Apache-2.0
#include "base/last_words.h"

#include <execinfo.h>
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
#include "base/code_place.h"

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
  for (int i = 0; i < count; ++i) {
    std::array<char, 1024> line{};
    const std::size_t size = write_code_place(frames[static_cast<std::size_t>(i)], line.data(), line.size() - 1);
    line[size] = '\n';
    say({line.data(), size + 1});
  }
}

}  // namespace grove
