// SPDX-License-Identifier: Apache-2.0
#include "worker/tasks/assert_switches.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "worker/greenlet/greenlet.h"
#include "worker/hub/hub.h"

namespace grove {

/// What the tracer writes to; it may be called once more after the watch has ended.
struct assert_switches::watch {
  const hub& on;
  const greenlet& of;
  std::optional<time_span> held_max;
  std::size_t switches = 0;
  steady_time resumed_at;
  steady_duration longest{};

  void left() {
    ++switches;
    longest = std::max(longest, on.now() - resumed_at);
  }
};

assert_switches::assert_switches(hub& on, std::optional<time_span> held_max)
    : watch_(std::make_shared<watch>(watch{on, greenlet::current(), held_max, 0, on.now(), {}})),
      previous_(current_trace()) {
  set_trace([seen = watch_, before = previous_](trace_event event, greenlet& origin, greenlet& target) {
    if (&origin == &seen->of) seen->left();
    if (&target == &seen->of) seen->resumed_at = seen->on.now();
    if (before) before(event, origin, target);
  });
}

assert_switches::~assert_switches() {
  end();
}

void assert_switches::end() noexcept {
  if (std::exchange(ended_, true)) return;
  set_trace(std::move(previous_));
}

void assert_switches::check() {
  if (ended_) return;
  end();
  if (watch_->switches == 0) throw failed_to_switch("a block of code that should yield never did");
  if (!watch_->held_max) return;
  const steady_duration longest = std::max(watch_->longest, watch_->on.now() - watch_->resumed_at);
  if (longest <= watch_->held_max->length()) return;
  const auto in_ms = [](steady_duration time) {
    return std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(time).count()) + " us";
  };
  throw failed_to_switch("a block of code held the thread for " + in_ms(longest) + " without a switch; at most " +
                         in_ms(*watch_->held_max) + " are allowed");
}

}  // namespace grove
