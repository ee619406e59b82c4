// SPDX-License-Identifier: Apache-2.0
#include "worker/hub/stall_monitor.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <utility>

#include "base/fd.h"
#include "worker/greenlet/greenlet.h"
#include "worker/hub/hub.h"
#include "worker/hub/stack_capture.h"
#include "worker/hub/stall_judge.h"

namespace grove {

/// Whether the thread that made it sits in the poll of an event loop.
class stall_monitor::poll_probe {
 public:
  poll_probe() : thread_(::pthread_self()) {
    const std::string path = "/proc/self/task/" + std::to_string(::gettid()) + "/syscall";
    in_kernel_ = unique_fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  }

  /// Affinity: one thread at a time, any.
  bool is_polling(steady_time now) {
    char text[32];
    const ssize_t bytes = in_kernel_.get() >= 0 ? ::pread(in_kernel_.get(), text, sizeof text, 0) : -1;
    if (bytes <= 0) return uses_no_time(now);
    // "running", or the number of the system call and its arguments.
    long call = -1;
    std::from_chars(text, text + bytes, call);
    return call == SYS_epoll_pwait || call == SYS_ppoll || call == SYS_pselect6
#if defined(__x86_64__)
           || call == SYS_epoll_wait || call == SYS_poll || call == SYS_select
#endif
        ;
  }

 private:
  /// Where /proc does not say: a thread that uses no processor is taken to poll.
  bool uses_no_time(steady_time now) noexcept {
    clockid_t id = 0;
    timespec used{};
    if (::pthread_getcpuclockid(thread_, &id) != 0 || ::clock_gettime(id, &used) != 0) return true;
    const steady_duration total = std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
    const steady_duration since = now - std::exchange(looked_at_, now);
    return total - std::exchange(used_, total) < since / 2;
  }

  pthread_t thread_;
  unique_fd in_kernel_;
  steady_time looked_at_{};
  steady_duration used_{};
};

struct stall_monitor::memory_watch {
  memory_options options;
  memory_listener listener;
  std::size_t last = 0;  // as at the last look; 0: not over
  std::size_t highest = 0;

  // gevent's rules: told of when it goes over and whenever it has grown since the last look, and once when it is back.
  void look() {
    const std::size_t bytes = options.measure ? options.measure() : resident_bytes();
    if (bytes > options.bytes_max) {
      highest = std::max(highest, bytes);
      if (bytes > std::exchange(last, bytes)) listener({true, bytes, highest, options.bytes_max});
    } else if (std::exchange(last, 0) != 0) {
      listener({false, bytes, std::exchange(highest, 0), options.bytes_max});
    }
  }
};

std::size_t resident_bytes() noexcept {
  const unique_fd file(::open("/proc/self/statm", O_RDONLY | O_CLOEXEC));
  char text[64];
  const ssize_t bytes = file.get() >= 0 ? ::pread(file.get(), text, sizeof text, 0) : -1;
  if (bytes <= 0) return 0;
  std::size_t pages = 0;
  const char* const end = text + bytes;
  const char* const second = std::find(static_cast<const char*>(text), end, ' ');
  if (second != end) std::from_chars(second + 1, end, pages);
  return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

stall_monitor::stall_monitor(hub& watched, const clock& time, stall_options options)
    : hub_(watched),
      time_(time),
      options_(options),
      capture_(std::make_unique<stack_capture>(options.label)),
      probe_(std::make_unique<poll_probe>()),
      judge_(std::make_unique<stall_judge>(options.stall_after, options.repeat_every)),
      thread_(time, [this](const std::exception_ptr& error) {
        hub_.post_from_thread([on = &hub_, error] { on->report("a function of the stall monitor", error); });
      }) {
  look();
  thread_.add([this] { look(); }, options.stall_after / 2);
}

stall_monitor::~stall_monitor() {
  kill();
}

void stall_monitor::kill() noexcept {
  thread_.stop();
  thread_.clear();
  memory_.reset();
  stall_listener_.reset();
}

void stall_monitor::look() {
  using verdict = stall_judge::verdict;
  const steady_time now = time_.now();
  const bool asleep = hub_.asleep() && probe_->is_polling(now);
  const verdict found = judge_->look(now, hub_.passes(), asleep);
  if (found == verdict::nothing) return;
  if (found == verdict::ended) {
    if (told_) tell(stall_event::stage::ended, std::nullopt);
    return;
  }
  if (found == verdict::began) told_ = false;
  const std::optional<seen_stack> seen = see();
  const bool is_new = found == verdict::began || (seen && (seen->greenlet != held_by_ || seen->label != label_));
  if (found == verdict::lasts && !is_new) return;
  if (is_new) {
    ignoring_ = false;
    held_by_ = seen ? seen->greenlet : "";
    label_ = seen ? seen->label : "";
  }
  ignoring_ |= seen && seen->ignored;
  if (ignoring_) return;
  tell(std::exchange(told_, true) ? stall_event::stage::goes_on : stall_event::stage::began, seen);
}

std::optional<seen_stack> stall_monitor::see() {
  const std::uint64_t pass = hub_.passes();
  std::optional<seen_stack> seen = capture_->take(options_.stack_patience);
  if (pass != hub_.passes()) seen.reset();
  return seen;
}

void stall_monitor::tell(stall_event::stage stage, const std::optional<seen_stack>& seen) {
  stall_event told;
  told.at = stage;
  told.lasted = judge_->lasted();
  if (seen) {
    told.greenlet = seen->greenlet;
    told.label = seen->label;
    told.stack = describe_frames(seen->frames);
  }
  if (stage == stall_event::stage::began) stalls_.fetch_add(1, std::memory_order_relaxed);
  longest_.store(std::max(longest_.load(std::memory_order_relaxed), told.lasted.count()), std::memory_order_relaxed);
  if (stall_listener_) stall_listener_(told);
}

void stall_monitor::watch_memory(memory_options options, memory_listener listener) {
  thread_.remove(std::exchange(memory_number_, 0));
  memory_.reset();
  if (options.bytes_max == 0) return;
  const steady_duration every = options.every;
  memory_ = std::make_shared<memory_watch>(memory_watch{std::move(options), std::move(listener)});
  memory_number_ = thread_.add([watch = memory_] { watch->look(); }, every);
}

ignore_stalls::ignore_stalls() {
  ++greenlet::current().slots().stalls_ignored;
}

ignore_stalls::~ignore_stalls() {
  --greenlet::current().slots().stalls_ignored;
}

}  // namespace grove
