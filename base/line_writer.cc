// SPDX-License-Identifier: Apache-2.0
#include "base/line_writer.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/write_all.h"

namespace grove {
namespace {

using std::chrono::steady_clock;

/// Room for bytes, taken once: a thread that drains a crashing process must not need the heap, whose lock may be held.
/// Pages that were never written cost no memory.
class line_buffer {
 public:
  explicit line_buffer(std::size_t capacity)
      : bytes_{std::make_unique_for_overwrite<char[]>(capacity)}, capacity_{capacity} {}

  [[nodiscard]] bool append(std::string_view line) noexcept {
    if (line.size() > capacity_ - size_) return false;
    std::memcpy(bytes_.get() + size_, line.data(), line.size());
    size_ += line.size();
    return true;
  }
  [[nodiscard]] std::string_view text() const noexcept { return {bytes_.get(), size_}; }
  void clear() noexcept { size_ = 0; }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t capacity_;
  std::size_t size_ = 0;
};

/// The front of `lines` that is written at once: as many whole lines as a pipe takes in one piece, or one longer line.
std::string_view next_piece(std::string_view lines) noexcept {
  if (lines.size() <= PIPE_BUF) return lines;
  std::size_t end = lines.rfind('\n', PIPE_BUF - 1);
  if (end == std::string_view::npos) end = lines.find('\n');
  return end == std::string_view::npos ? lines : lines.substr(0, end + 1);
}

std::uint64_t count_lines(std::string_view lines) noexcept {
  return static_cast<std::uint64_t>(std::ranges::count(lines, '\n'));
}

}  // namespace

/// What the thread and those who log have in common. The thread shares it, because it may be left behind.
struct line_writer::shared {
  shared(int to, gap_line tell, std::size_t backlog_bytes_max)
      // Of our own, so that a thread that is left behind does not write into somebody else's.
      : copy{::fcntl(to, F_DUPFD_CLOEXEC, 0)},
        fd{copy ? copy.get() : to},
        gap{std::move(tell)},
        waiting{backlog_bytes_max},
        taken{backlog_bytes_max} {}

  void accept(std::string_view line) noexcept {
    const std::lock_guard lock{mutex};
    if (idle && write_at_once(line)) return;
    // Once a line is missing, all are until the thread has taken what waits: the gap has one place.
    if (missing.lines == 0 && waiting.append(line)) {
      accepted.fetch_add(1, std::memory_order_release);
      filled.notify_one();
      return;
    }
    if (missing.lines++ == 0) {
      missing.since = steady_clock::now();
      filled.notify_one();  // A line that is longer than all that may wait is missed behind nothing.
    }
    dropped.fetch_add(1, std::memory_order_relaxed);
  }

  /// Spares the thread where the kernel writes all of the line or refuses to wait (pipes and sockets since Linux 6.4). Then
  /// what is logged is out before what follows from it: a worker's report behind the line of whoever aborts it.
  bool write_at_once(std::string_view& line) noexcept {
    if (line.size() > PIPE_BUF || !waiting.text().empty() || missing.lines > 0) return false;
    iovec piece{const_cast<char*>(line.data()), line.size()};
    const ssize_t written = ::pwritev2(fd, &piece, 1, -1, RWF_NOWAIT);
    if (written <= 0) return false;
    line.remove_prefix(static_cast<std::size_t>(written));
    return line.empty();
  }

  void run() {
    log_gap untold;
    while (const auto gap_behind = take(untold.lines == 0)) {
      if (untold.lines > 0) report(untold);
      const std::uint64_t lines = write_taken(untold);
      if (gap_behind->lines > 0) {
        if (untold.lines == 0) untold = {.lines = 0, .since = gap_behind->since, .error = 0};
        untold.lines += gap_behind->lines;
        report(untold);
      }
      done.fetch_add(lines, std::memory_order_release);
    }
  }

  /// Waits for lines; what is missing behind them comes back. Empty at the end. `all_told`: the thread itself has nothing
  /// to say before them.
  std::optional<log_gap> take(bool all_told) {
    std::unique_lock lock{mutex};
    idle = all_told;
    const auto something = [this] { return !waiting.text().empty() || missing.lines > 0; };
    filled.wait(lock, [&] { return stopping || something(); });
    if (!something()) return std::nullopt;
    idle = false;
    std::swap(waiting, taken);
    return std::exchange(missing, {});
  }

  /// Returns how many lines they were; those that could not be written are added to `lost`.
  std::uint64_t write_taken(log_gap& lost) {
    std::uint64_t lines = 0;
    for (std::string_view rest = taken.text(); !rest.empty();) {
      const std::string_view piece = next_piece(rest);
      rest.remove_prefix(piece.size());
      const std::uint64_t in_piece = count_lines(piece);
      lines += in_piece;
      const int error = write_all(fd, piece);
      if (error == 0) continue;
      if (lost.lines == 0) lost.since = steady_clock::now();
      lost.lines += in_piece;
      lost.error = error;
      dropped.fetch_add(in_piece, std::memory_order_relaxed);
    }
    taken.clear();
    return lines;
  }

  void report(log_gap& untold) {
    if (write_all(fd, gap(untold)) == 0) untold = {};
  }

  const unique_fd copy;
  const int fd;
  const gap_line gap;
  std::mutex mutex;
  std::condition_variable filled;
  line_buffer waiting;
  line_buffer taken;  ///< The thread's own.
  log_gap missing;    ///< Behind what waits.
  bool idle = false;  ///< The thread waits for lines.
  bool stopping = false;
  std::atomic<std::uint64_t> accepted{0};  ///< Lines, and how many of them were written or lost.
  std::atomic<std::uint64_t> done{0};
  std::atomic<std::uint64_t> dropped{0};
};

line_writer::line_writer(int fd, gap_line gap, std::size_t backlog_bytes_max)
    : shared_{std::make_shared<shared>(fd, std::move(gap), backlog_bytes_max)} {
  // Signals are for the threads that have handlers for them in mind.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    thread_ = std::thread{[mine = shared_] { mine->run(); }};
  } catch (...) {
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

line_writer::~line_writer() {
  const bool written = flush(farewell);
  {
    const std::lock_guard lock{shared_->mutex};
    shared_->stopping = true;
  }
  shared_->filled.notify_one();
  if (written) {
    thread_.join();
  } else {
    thread_.detach();
  }
}

void line_writer::write(std::string_view line) noexcept {
  GROVE_DEBUG_CHECK(line.ends_with('\n'), "a line is written that does not end with a newline");
  shared_->accept(line);
}

bool line_writer::flush(std::chrono::milliseconds patience) const noexcept {
  const std::uint64_t wanted = shared_->accepted.load(std::memory_order_acquire);
  const steady_time deadline = time_after(steady_clock::now(), patience);
  while (shared_->done.load(std::memory_order_acquire) < wanted) {
    if (steady_clock::now() >= deadline) return false;
    const timespec moment{.tv_sec = 0, .tv_nsec = 200'000};
    ::nanosleep(&moment, nullptr);
  }
  return true;
}

std::uint64_t line_writer::dropped() const noexcept {
  return shared_->dropped.load(std::memory_order_relaxed);
}

}  // namespace grove
