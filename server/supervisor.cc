// SPDX-License-Identifier: Apache-2.0
#include "server/supervisor.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/exit_codes.h"
#include "base/values.h"
#include "base/version.h"
#include "grove/v1/control.pb.h"
#include "server/internal/control_messages.h"

namespace grove::server {
namespace {

std::int64_t nanoseconds(steady_time moment) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(moment.time_since_epoch()).count();
}

std::string on_core(const worker_record& record) {
  return record.core ? fmt::format("core {}", *record.core) : std::string{"any core"};
}

/// Whether a worker may be in the state `next` after it was in `before`: up once it has started, draining when it was up;
/// down from wherever it died.
constexpr bool may_follow(worker_state before, worker_state next) noexcept {
  switch (next) {
    case worker_state::down:
      return true;
    case worker_state::starting:
      return before == worker_state::down;
    case worker_state::up:
      return before == worker_state::starting;
    case worker_state::draining:
      return before == worker_state::up;
  }
  return false;
}

/// Why a restart waits, as the end of a line.
std::string explain(const restart_decision& decision, const process_life& life, const restart_limits& limits) {
  switch (decision.why) {
    case restart_reason::served:
      return {};
    case restart_reason::failed_start:
      return ": it ended before it was ready";
    case restart_reason::same_turn:
      return fmt::format(": {} has ended a worker before", life.turn->text);
    case restart_reason::many_deaths:
      return fmt::format(": it has died {} times within {}", decision.recent_deaths,
                         duration_value(limits.budget_window));
  }
  return {};
}

}  // namespace

supervisor::supervisor(supervisor_parts parts)
    : parts_{std::move(parts)},
      workers_{parts_.segment.workers(), parts_.config.restarts, parts_.config.hangs, parts_.random},
      partitions_{parts_.segment} {
  for (std::uint32_t slot = 0; slot < workers_.size(); ++slot) {
    if (parts_.config.pin == pinning::off) continue;
    workers_[slot].core = parts_.cpus.core_of(slot, workers_.size());
    if (workers_[slot].core) parts_.segment.slot(slot).cpu.store(static_cast<std::int32_t>(*workers_[slot].core));
  }
}

void supervisor::begin() {
  begun_at_ = parts_.time.now();
  next_look_ = begun_at_ + look_period;
  for (std::uint32_t slot = 0; slot < workers_.size(); ++slot)
    start(slot);
}

// ---- a worker's life

void supervisor::start(std::uint32_t slot) {
  worker_record& record = workers_[slot];
  worker_slot& shared = parts_.segment.slot(slot);
  GROVE_CHECK(record.pid == 0, "a worker is started before the end of the process before it is known");
  GROVE_CHECK(phase_ == phase::serving && !record.abandoned,
              "a worker is started that was given up, or in a server that stops");
  const steady_time now = parts_.time.now();
  record.restart_at.reset();
  record.ready_at.reset();
  record.control_lost_at.reset();
  record.signalled_by_us = false;
  record.killed_by_us = false;
  record.said_drained = false;
  record.failure.clear();
  record.started_at = now;
  record.start_deadline = time_after(now, parts_.config.start_timeout);
  record.watch.reset(now, shared.heartbeat.load(std::memory_order_relaxed));
  if (record.generation > 0) shared.restarts.store(++record.restarts, std::memory_order_relaxed);
  shared.started_at_ns.store(nanoseconds(now), std::memory_order_relaxed);
  set_state(slot, worker_state::starting);
  record.generation = shared.generation.load(std::memory_order_relaxed);

  const spawn_result spawned = parts_.host.start(slot);
  if (!spawned.error.empty()) {
    parts_.log->error("worker {}: could not be started: {}", slot, spawned.error);
    bury(slot, "could not be started: " + spawned.error);
    replace(slot, false, {});
    return;
  }
  record.pid = spawned.pid;
  shared.pid.store(spawned.pid, std::memory_order_relaxed);
  parts_.log->info("worker {}: started as pid {} on {}, generation {}", slot, record.pid, on_core(record),
                   record.generation);
}

void supervisor::set_state(std::uint32_t slot, worker_state state) {
  GROVE_CHECK(may_follow(workers_[slot].state, state), "a worker's state does not follow from the one before");
  workers_[slot].state = state;
  parts_.segment.set_state(slot, state);
  parts_.host.poke_all();
}

void supervisor::on_message(std::uint32_t slot, const v1::ControlMessage& message) {
  switch (message.body_case()) {
    case v1::ControlMessage::kHello:
      return on_hello(slot, message.hello());
    case v1::ControlMessage::kReady:
      return on_ready(slot, message.ready());
    case v1::ControlMessage::kFailed:
      return on_failed(slot, message.failed());
    case v1::ControlMessage::kDrained:
      return on_drained(slot, message.drained());
    default:
      parts_.log->error("worker {} (pid {}) sent a control message that no worker sends; it is killed", slot,
                        workers_[slot].pid);
      kill_worker(slot);
  }
}

void supervisor::on_hello(std::uint32_t slot, const v1::WorkerHello& hello) {
  worker_record& record = workers_[slot];
  if (record.state != worker_state::starting) return;
  if (hello.version() != version) {
    parts_.log->error("worker {} (pid {}) is of version {}, this server of {}: install both from the same build", slot,
                      record.pid, hello.version(), version);
    record.abandoned = true;
    return kill_worker(slot);
  }
  const auto message = detail::worker_start(parts_.config, slot, record.generation, workers_.size(), record.core);
  if (!parts_.host.send(slot, message)) on_control_lost(slot, "it does not take messages");
}

void supervisor::on_ready(std::uint32_t slot, const v1::WorkerReady& ready) {
  worker_record& record = workers_[slot];
  if (record.state != worker_state::starting || phase_ != phase::serving) return;
  const steady_time now = parts_.time.now();
  record.ready_at = now;
  record.unserved_since.reset();
  record.watch.reset(now, parts_.segment.slot(slot).heartbeat.load(std::memory_order_relaxed));
  set_state(slot, worker_state::up);
  parts_.log->info("worker {}: ready {}after {} (pid {}, {}, generation {}, {})", slot,
                   record.restarts > 0 ? "again " : "", spoken_duration(now - record.started_at), record.pid,
                   on_core(record), record.generation, counted(ready.actor_types(), "actor type"));
  tell_of_partitions_away(slot);
  announce_ready();
  deal_out_partitions();
}

void supervisor::on_failed(std::uint32_t slot, const v1::WorkerFailed& failed) {
  workers_[slot].failure = failed.reason();
  parts_.log->error("worker {} (pid {}) cannot serve: {}", slot, workers_[slot].pid, failed.reason());
}

void supervisor::on_drained(std::uint32_t slot, const v1::WorkerDrained& drained) {
  workers_[slot].said_drained = true;
  const std::string took = spoken_duration(parts_.time.now() - stop_begun_at_);
  if (drained.unfinished_calls() > 0 || drained.unfinished_messages() > 0) {
    workers_[slot].drain_cut = true;
    given_up_ += drained.unfinished_messages();
    parts_.log->warn("worker {}: not drained within {}; {} given up, among them {} of clients", slot, took,
                     counted(drained.unfinished_messages(), "message"), counted(drained.unfinished_calls(), "call"));
  } else if (drained.cut()) {
    parts_.log->info("worker {}: nothing of its own was left after {}, but other workers were not done", slot, took);
  } else {
    parts_.log->info("worker {}: drained after {}", slot, took);
  }
}

void supervisor::announce_ready() {
  if (announced_ || !workers_.all_up()) return;
  announced_ = true;
  // Scripts and tests wait for this line: its form is part of the interface.
  parts_.log->info("ready: {} {} {} (admin {})", counted(workers_.size(), "worker"),
                   workers_.size() == 1 ? "serves" : "serve", parts_.listen, parts_.admin);
}

void supervisor::on_control_lost(std::uint32_t slot, std::string_view why) {
  worker_record& record = workers_[slot];
  if (record.pid == 0 || record.control_lost_at) return;
  record.control_lost_at = parts_.time.now();
  parts_.log->debug("worker {} (pid {}): its control socket is lost: {}", slot, record.pid, why);
}

// ---- a worker's death

void supervisor::on_exit(std::uint32_t slot, const exit_status& status) {
  worker_record& record = workers_[slot];
  GROVE_CHECK(record.pid != 0, "the end is told of a process that was not there");
  const steady_time now = parts_.time.now();
  const flight_report flight = read_flight(parts_.segment.slot(slot));
  process_life life;
  life.served = record.ready_at.has_value();
  if (life.served) life.served_for = now - *record.ready_at;
  if (flight.running) life.turn = fatal_turn{flight.hash, flight.method, flight.to_string()};
  const std::string text = epitaph(slot, status, flight);
  bury(slot, text);
  if (phase_ == phase::serving) {
    parts_.log->error("worker {} {}", slot, text);
    send_partitions_home(slot);
    return replace(slot, is_final(status), life);
  }
  const bool clean = status.how == exit_status::kind::exited && status.value == exit_codes::done;
  parts_.log->log(clean || record.signalled_by_us ? spdlog::level::info : spdlog::level::warn, "worker {} {}; {} left",
                  slot, text, counted(workers_.processes(), "worker"));
  finish_when_empty();
}

std::string supervisor::epitaph(std::uint32_t slot, const exit_status& status, const flight_report& flight) const {
  const worker_record& record = workers_[slot];
  std::string text = fmt::format("(pid {}) {} after {}", record.pid, describe(status),
                                 spoken_duration(parts_.time.now() - record.started_at));
  if (flight.running) text += " while running " + flight.to_string();
  if (record.killed_by_us && status.how == exit_status::kind::exited) text += " before SIGKILL reached it";
  if (!record.failure.empty()) text += ": " + record.failure;
  if (const auto tip = hint(status, record.signalled_by_us); !tip.empty()) text += fmt::format("; {}", tip);
  return text;
}

/// The end of a process, in the table and in shared memory; its slot is free afterwards.
void supervisor::bury(std::uint32_t slot, std::string_view ending) {
  worker_record& record = workers_[slot];
  worker_slot& shared = parts_.segment.slot(slot);
  if (record.ready_at) record.last_served_at = parts_.time.now();
  if (!record.unserved_since) record.unserved_since = parts_.time.now();
  record.pid = 0;
  shared.pid.store(0, std::memory_order_relaxed);
  shared.last_exit.write(ending);
  // Its writer is dead, so this is no race; else the successor would inherit what killed its predecessor.
  shared.flight.idle();
  set_state(slot, worker_state::down);
}

void supervisor::replace(std::uint32_t slot, bool is_final, const process_life& life) {
  worker_record& record = workers_[slot];
  if (is_final || record.abandoned) {
    record.abandoned = true;
    parts_.log->error("worker {}: not restarted, the same configuration would fail again", slot);
    if (workers_.all_abandoned()) quit(exit_codes::bad_configuration, "no worker can be started");
    return deal_out_partitions();
  }
  const steady_time now = parts_.time.now();
  const restart_decision decision = record.policy.after_exit(now, life);
  if (decision.crash_loop) {
    const std::string times = fmt::format("worker {} failed to start {} times within {}", slot, decision.failed_starts,
                                          duration_value(parts_.config.restarts.window));
    if (!workers_.somebody_serves(now, parts_.config.restarts.window)) {
      return quit(exit_codes::crash_loop, times + " and no other serves: this is a crash loop, giving up");
    }
    parts_.log->warn("{}; others serve, so it is tried again", times);
  }
  record.restart_at = time_after(now, decision.delay);
  record.failed_to_start = decision.why == restart_reason::failed_start;
  const std::string why = explain(decision, life, parts_.config.restarts);
  if (decision.delay.count() == 0) {
    parts_.log->info("worker {}: restarts at once{}", slot, why);
    start(slot);
  } else {
    parts_.log->info("worker {}: restarts in {}{}", slot, spoken_duration(decision.delay), why);
    deal_out_partitions();
  }
}

// ---- what is due

void supervisor::tick() {
  const steady_time now = parts_.time.now();
  if (now >= next_look_) look_at_heartbeats(now);
  for (std::uint32_t slot = 0; slot < workers_.size() && phase_ == phase::serving; ++slot) {
    if (workers_[slot].restart_at && *workers_[slot].restart_at <= now) start(slot);
  }
  stop_when_due(now);
}

steady_time supervisor::next_wake() const {
  steady_time wake = next_look_;
  if (const auto due = workers_.next_restart()) wake = std::min(wake, *due);
  if (kill_at_) wake = std::min(wake, *kill_at_);
  return wake;
}

void supervisor::look_at_heartbeats(steady_time now) {
  const steady_duration late = now - next_look_;
  next_look_ = time_after(now, look_period);
  if (late > 2 * look_period) {
    // A paused machine paused the workers too: they get the time back (the idea is Lifeguard's).
    parts_.log->debug("the supervisor itself was {} late; heartbeats are not judged in this round",
                      spoken_duration(late));
    for (worker_record& record : workers_) {
      record.watch.forgive(now);
      record.start_deadline += late;
    }
    return;
  }
  for (std::uint32_t slot = 0; slot < workers_.size(); ++slot) {
    if (workers_[slot].pid != 0 && phase_ != phase::quitting) look_at_heartbeat(slot, now);
  }
}

void supervisor::look_at_heartbeat(std::uint32_t slot, steady_time now) {
  worker_record& record = workers_[slot];
  if (record.control_lost_at && now - *record.control_lost_at >= control_lost_grace && !record.signalled_by_us) {
    parts_.log->error("worker {} (pid {}) has closed its control socket and lives on; it is killed", slot, record.pid);
    return kill_worker(slot);
  }
  if (record.state == worker_state::starting && !record.signalled_by_us) return look_at_start(slot, now);

  const worker_slot& shared = parts_.segment.slot(slot);
  const steady_duration still = record.watch.still_for(now);
  switch (record.watch.observe(now, shared.heartbeat.load(std::memory_order_relaxed))) {
    case heartbeat_watch::order::none:
      return;
    case heartbeat_watch::order::abort: {
      const flight_report flight = read_flight(shared);
      parts_.log->error("worker {} (pid {}) hangs: no heartbeat for {}{}; it gets SIGABRT, so that it says where", slot,
                        record.pid, spoken_duration(still),
                        flight.running ? ", while running " + flight.to_string() : std::string{});
      return abort_worker(slot, now);
    }
    case heartbeat_watch::order::kill:
      parts_.log->error("worker {} (pid {}) still lives {} after SIGABRT; it gets SIGKILL", slot, record.pid,
                        spoken_duration(parts_.config.hangs.kill_after_abort));
      return kill_worker(slot);
  }
}

void supervisor::look_at_start(std::uint32_t slot, steady_time now) {
  const worker_record& record = workers_[slot];
  if (now < record.start_deadline) return;
  parts_.log->error("worker {} (pid {}) is not ready after {}; it gets SIGABRT, so that it says where", slot,
                    record.pid, duration_value(parts_.config.start_timeout));
  abort_worker(slot, now);
}

void supervisor::abort_worker(std::uint32_t slot, steady_time now) {
  workers_[slot].signalled_by_us = true;
  workers_[slot].watch.aborted(now);
  parts_.host.signal(slot, SIGABRT);
}

void supervisor::kill_worker(std::uint32_t slot) {
  workers_[slot].signalled_by_us = true;
  workers_[slot].killed_by_us = true;
  parts_.host.signal(slot, SIGKILL);
}

}  // namespace grove::server
