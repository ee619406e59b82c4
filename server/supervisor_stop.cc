// SPDX-License-Identifier: Apache-2.0
// How a server stops: by draining, at once, or because it gives up.
#include <fmt/format.h>
#include <signal.h>

#include <algorithm>

#include "base/check.h"
#include "base/exit_codes.h"
#include "base/values.h"
#include "grove/v1/control.pb.h"
#include "server/internal/control_messages.h"
#include "server/supervisor.h"

namespace grove::server {

void supervisor::on_signal(int signal) {
  const std::string name = signal_name(signal);
  switch (signal) {
    case SIGHUP:
      parts_.log->warn("SIGHUP is ignored: reloading without a restart comes in a later version");
      return;
    case SIGUSR2:
      parts_.log->warn("SIGUSR2 is ignored: upgrading the program in place comes in a later version");
      return;
    case SIGTERM:
      if (phase_ == phase::serving) return drain();
      break;
    case SIGINT:
    case SIGQUIT:
      break;
    default:
      parts_.log->warn("{} is ignored", name);
      return;
  }
  if (phase_ == phase::quitting) {
    kill_at_ = parts_.time.now();
    return tick();
  }
  // Exit 0: a person or a script that asks for a quick stop has got what it asked for, as with nginx and gunicorn. A
  // non-zero code would make an orchestrator report a failure that is none.
  quit(exit_codes::done,
       phase_ == phase::draining ? name + " while draining: quitting at once" : name + ": quitting at once");
}

readiness supervisor::ready() const {
  if (phase_ == phase::draining) return {false, "draining"};
  if (phase_ == phase::quitting) return {false, "stopping"};
  const std::uint32_t up = workers_.count(worker_state::up);
  // What others serve is served: only how many there are to do it counts.
  return {up > 0 && up * 2 >= workers_.size(),
          fmt::format("{} of {} up{}", up, counted(workers_.size(), "worker"), partitions_text())};
}

void supervisor::drain() {
  GROVE_CHECK(phase_ == phase::serving, "a server begins to drain twice");
  phase_ = phase::draining;
  const steady_time now = parts_.time.now();
  const auto timeout = parts_.config.drain_timeout;
  stop_begun_at_ = now;
  kill_at_ = time_after(now, timeout);
  parts_.log->info("SIGTERM: draining {} for up to {}; a second SIGTERM quits at once",
                   counted(workers_.processes(), "worker"), duration_value(timeout));
  // Before the workers know: none of them would accept any more, and a client would wait for its welcome to the end.
  parts_.host.stop_listening();
  // A worker ends what it can a little before it would be killed.
  const auto grace = timeout - std::min(timeout / 10, std::chrono::milliseconds{500});
  for (std::uint32_t slot = 0; slot < workers_.size(); ++slot) {
    workers_[slot].restart_at.reset();
    if (workers_[slot].state == worker_state::up) set_state(slot, worker_state::draining);
  }
  for (std::uint32_t slot = 0; slot < workers_.size(); ++slot) {
    if (workers_[slot].pid == 0) continue;
    if (workers_[slot].state != worker_state::draining) {
      kill_worker(slot);  // It has not served yet, so nothing is lost.
    } else if (!parts_.host.send(slot, detail::drain_worker(grace))) {
      parts_.log->warn("worker {} (pid {}) cannot be told to drain; it is killed", slot, workers_[slot].pid);
      kill_worker(slot);
    }
  }
  finish_when_empty();
}

void supervisor::quit(int code, std::string_view why) {
  if (phase_ == phase::quitting) return;
  const steady_time now = parts_.time.now();
  if (phase_ == phase::serving) stop_begun_at_ = now;
  phase_ = phase::quitting;
  code_when_empty_ = code;
  kill_at_ = time_after(now, quit_grace);
  parts_.host.stop_listening();
  parts_.log->log(code == exit_codes::done ? spdlog::level::info : spdlog::level::critical, "{}", why);
  for (std::uint32_t slot = 0; slot < workers_.size(); ++slot) {
    worker_record& record = workers_[slot];
    record.restart_at.reset();
    if (record.pid == 0) continue;
    record.signalled_by_us = true;
    if (!parts_.host.send(slot, detail::quit_worker())) parts_.host.signal(slot, SIGKILL);
  }
  finish_when_empty();
}

void supervisor::stop_when_due(steady_time now) {
  if (leave_at_ && now >= *leave_at_ && !exit_code_) {
    parts_.log->critical("{} did not die of SIGKILL within {}; leaving without",
                         counted(workers_.processes(), "worker"), duration_value(kill_grace));
    exit_code_ = code_when_empty_ == exit_codes::done ? exit_codes::internal_failure : code_when_empty_;
    return;
  }
  if (!kill_at_ || now < *kill_at_) return;
  if (phase_ == phase::draining && !cut_drain(now)) return;
  phase_ = phase::quitting;
  kill_at_.reset();
  leave_at_ = time_after(now, kill_grace);
  for (std::uint32_t slot = 0; slot < workers_.size(); ++slot) {
    if (workers_[slot].pid != 0) kill_worker(slot);
  }
}

/// Names those that will be killed because the drain's time is over; false when nobody has to be yet: all who are left
/// have said that they are done, and are given a moment to end.
bool supervisor::cut_drain(steady_time now) {
  const steady_time last_moment = time_after(time_after(stop_begun_at_, parts_.config.drain_timeout), quit_grace);
  bool somebody_works = false;
  for (std::uint32_t slot = 0; slot < workers_.size(); ++slot)
    somebody_works = somebody_works || (workers_[slot].pid != 0 && !workers_[slot].said_drained);
  if (!somebody_works && now < last_moment) {
    kill_at_ = last_moment;
    return false;
  }
  for (std::uint32_t slot = 0; slot < workers_.size(); ++slot) {
    worker_record& record = workers_[slot];
    if (record.pid == 0) continue;
    if (record.said_drained) {
      parts_.log->warn("worker {} (pid {}): has said that it is done and has not ended; it gets SIGKILL", slot,
                       record.pid);
    } else {
      record.drain_cut = true;
      parts_.log->warn("worker {} (pid {}): not drained within {}; it gets SIGKILL", slot, record.pid,
                       duration_value(parts_.config.drain_timeout));
    }
  }
  return true;
}

void supervisor::finish_when_empty() {
  if (phase_ == phase::serving || workers_.processes() != 0 || exit_code_) return;
  GROVE_CHECK(!workers_.next_restart(), "a server that has stopped would start a worker again");
  exit_code_ = code_when_empty_;
  std::string cut;
  if (const std::uint32_t workers = workers_.cut_drains(); workers > 0) {
    cut = fmt::format("; the drain was cut: {} not done, {} known to be given up", counted(workers, "worker"),
                      counted(given_up_, "message"));
  }
  parts_.log->log(cut.empty() ? spdlog::level::info : spdlog::level::warn,
                  "stopped within {} after {} of service{}; exit {}",
                  spoken_duration(parts_.time.now() - stop_begun_at_), spoken_duration(stop_begun_at_ - begun_at_), cut,
                  *exit_code_);
}

}  // namespace grove::server
