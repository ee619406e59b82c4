// SPDX-License-Identifier: Apache-2.0
#include "worker/hub/stall_monitor.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <utility>

#include "base/fd.h"
#include "worker/greenlet/greenlet.h"
#include "worker/hub/hub.h"
#include "worker/hub/stack_capture.h"
#include "worker/hub/stall_judge.h"
#include "worker/hub/thread_probe.h"

namespace grove {

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
      options_(std::move(options)),
      capture_(std::make_unique<stack_capture>(options_.label)),
      probe_(std::make_unique<thread_probe>()),
      judge_(std::make_unique<stall_judge>(options_.stall_after, options_.repeat_every)),
      thread_(time, [this](const std::exception_ptr& error) {
        hub_.post_from_thread([on = &hub_, error] { on->report("a function of the stall monitor", error); });
      }) {
  look();
  thread_.add([this] { look(); }, options_.stall_after / 2);
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
  const bool asleep = hub_.asleep() && probe_->is_polling();
  const steady_duration unscheduled = options_.unscheduled ? options_.unscheduled() : probe_->take_unscheduled();
  const verdict found = judge_->look(now, hub_.passes(), asleep, unscheduled);
  if (found == verdict::nothing) return;
  if (found == verdict::ended) {
    if (std::exchange(told_, false)) tell(stall_event::stage::ended, std::nullopt);
  } else if (judge_->held()) {
    judge_holder(found == verdict::began, found == verdict::lasts);
  } else if (found != verdict::lasts) {
    // What runs there is not to blame, and cannot answer for itself before it has a processor again.
    told_ = true;
    tell(found == verdict::began ? stall_event::stage::began : stall_event::stage::goes_on, std::nullopt);
  }
}

void stall_monitor::judge_holder(bool began, bool lasts) {
  if (began) told_holder_ = false;
  const std::optional<seen_stack> seen = see();
  const bool is_new = began || (seen && (seen->greenlet != held_by_ || seen->label != label_));
  if (lasts && !is_new) return;
  if (is_new) {
    ignoring_ = false;
    held_by_ = seen ? seen->greenlet : "";
    label_ = seen ? seen->label : "";
  }
  ignoring_ |= seen && seen->ignored;
  if (ignoring_) return;
  told_ = true;
  tell(std::exchange(told_holder_, true) ? stall_event::stage::goes_on : stall_event::stage::began, seen);
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
  told.why = judge_->held() ? stall_event::cause::held : stall_event::cause::no_processor;
  told.lasted = judge_->lasted();
  told.unscheduled = judge_->unscheduled();
  if (seen) {
    told.greenlet = seen->greenlet;
    told.label = seen->label;
    told.stack = describe_frames(seen->frames);
  }
  const bool held = told.why == stall_event::cause::held;
  if (stage == stall_event::stage::began) (held ? stalls_ : delays_).fetch_add(1, std::memory_order_relaxed);
  if (held)
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
