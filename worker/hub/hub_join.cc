// SPDX-License-Identifier: Apache-2.0

// Loops that end by themselves: when nothing that could wake a greenlet is left.

#include "worker/hub/hub.h"
#include "worker/hub/hub_scope.h"
#include "worker/hub/hub_task.h"

namespace grove {

namespace {
/// Ends a sleep of the hub.
class alarm final : public hub_timer {
 public:
  alarm() noexcept { set_background(true); }
  ~alarm() override = default;

 private:
  void expired() override {}
};
}  // namespace

bool hub::anything_pending() {
  return ready_count() > 0 || timers_.foreground() > 0 || holds_ > 0 || poked_.load(std::memory_order_relaxed) ||
         has_foreign_.load(std::memory_order_relaxed) || io_pending();
}

bool hub::io_pending() {
  // Asio does not tell how much it has under way; but without any it stops. So its own work is taken from it for
  // a moment.
  work_.reset();
  const bool none = io_.stopped();
  work_.emplace(io_.get_executor());
  io_.restart();
  return !none;
}

loop_end hub::run_while_pending(const hub_task* ended, std::optional<steady_time> until) {
  require_hub_context();
  const hub_scope own{*this};
  alarm at_end;
  if (until) at_end.arm(*this, *until);
  for (;;) {
    if (ended != nullptr && ended->ready()) return loop_end::finished;
    if (stopping_.exchange(false, std::memory_order_acq_rel)) {
      if (system_error_ != nullptr) throw_system_error();
      return loop_end::stopped;
    }
    if (until && now() >= *until) return loop_end::timed_out;
    if (pass(false)) continue;
    if (!anything_pending()) return waiting_ == 0 && live_tasks_ == 0 ? loop_end::finished : loop_end::stuck;
    sleep();
  }
}

loop_end hub::join(std::optional<steady_time> until) {
  return run_while_pending(nullptr, until);
}

bool hub::run_until(const hub_task& ended, std::optional<steady_time> until) {
  const loop_end end = run_while_pending(&ended, until);
  if (!ended.ready() && (end == loop_end::stuck || end == loop_end::finished))
    throw loop_exit("a task waits for what nothing is left to bring");
  return ended.ready();
}

}  // namespace grove
