// SPDX-License-Identifier: Apache-2.0
#include "worker/hub/thread_probe.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <string>
#include <string_view>
#include <utility>

namespace grove {

namespace {

unique_fd open_of_thread(const char* file) {
  const std::string path = "/proc/self/task/" + std::to_string(::gettid()) + "/" + file;
  return unique_fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

std::string_view read_anew(const unique_fd& file, char* text, std::size_t bytes_max) noexcept {
  const ssize_t bytes = file.get() >= 0 ? ::pread(file.get(), text, bytes_max, 0) : -1;
  return {text, bytes > 0 ? static_cast<std::size_t>(bytes) : 0};
}

/// What follows `name` in a line of a status file, without the blanks before it.
std::string_view value_of(std::string_view text, std::string_view name) noexcept {
  const std::size_t at = text.find(name);
  if (at == std::string_view::npos) return {};
  const std::size_t value = text.find_first_not_of(" \t", at + name.size());
  return value == std::string_view::npos ? std::string_view() : text.substr(value);
}

std::uint64_t number_at(std::string_view text) noexcept {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

steady_duration unscheduled(const thread_usage& before, const thread_usage& now, steady_duration elapsed) noexcept {
  const steady_duration off = std::max(elapsed - (now.ran - before.ran), steady_duration::zero());
  // Ready at both ends and never blocked between them: whatever it did not run it was kept waiting.
  if (before.runnable && now.runnable && now.blocked == before.blocked) return off;
  return std::clamp(now.queued - before.queued, steady_duration::zero(), off);
}

thread_probe::thread_probe()
    : thread_(::pthread_self()),
      in_kernel_(open_of_thread("syscall")),
      status_(open_of_thread("status")),
      queue_(open_of_thread("schedstat")) {}

bool thread_probe::is_polling() {
  std::array<char, 32> room{};
  const std::string_view text = read_anew(in_kernel_, room.data(), room.size());
  if (text.empty()) return uses_no_time();
  // "running", or the number of the system call and its arguments.
  long call = -1;
  std::from_chars(text.data(), text.data() + text.size(), call);
  return call == SYS_epoll_pwait || call == SYS_ppoll || call == SYS_pselect6
#if defined(__x86_64__)
         || call == SYS_epoll_wait || call == SYS_poll || call == SYS_select
#endif
      ;
}

/// Where /proc does not say: a thread that uses no processor is taken to poll.
bool thread_probe::uses_no_time() noexcept {
  const std::optional<steady_duration> used = time_used();
  if (!used) return true;
  const steady_time now = system_clock().now();
  const steady_duration since = now - std::exchange(polled_at_, now);
  return *used - std::exchange(used_, *used) < since / 2;
}

std::optional<steady_duration> thread_probe::time_used() const noexcept {
  clockid_t id = 0;
  timespec used{};
  if (::pthread_getcpuclockid(thread_, &id) != 0 || ::clock_gettime(id, &used) != 0) return std::nullopt;
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

std::optional<thread_usage> thread_probe::usage() const {
  const std::optional<steady_duration> ran = time_used();
  std::array<char, 4096> room;
  const std::string_view status = read_anew(status_, room.data(), room.size());
  const std::string_view state = value_of(status, "\nState:");
  if (!ran || state.empty()) return std::nullopt;
  thread_usage found;
  found.ran = *ran;
  found.runnable = state.front() == 'R';
  found.blocked = number_at(value_of(status, "\nvoluntary_ctxt_switches:"));
  // The second number, in nanoseconds.
  const std::string_view queue = read_anew(queue_, room.data(), room.size());
  found.queued = std::chrono::nanoseconds(number_at(value_of(queue, " ")));
  return found;
}

steady_duration thread_probe::take_unscheduled() {
  const steady_time now = system_clock().now();
  const steady_duration elapsed = now - std::exchange(looked_at_, now);
  const std::optional<thread_usage> found = usage();
  const std::optional<thread_usage> before = std::exchange(last_, found);
  return found && before ? unscheduled(*before, *found, elapsed) : steady_duration::zero();
}

}  // namespace grove
