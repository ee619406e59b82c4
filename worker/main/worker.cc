// SPDX-License-Identifier: Apache-2.0
#include "worker/main/worker.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "base/exit_codes.h"
#include "base/process/inherited_fds.h"
#include "base/text.h"
#include "worker/builtin/builtin.h"
#include "worker/gate/socket_stream.h"
#include "worker/greenlet/overflow_report.h"
#include "worker/main/orphan_guard.h"
#include "worker/main/system_actor.h"

namespace grove {
namespace {

constexpr std::chrono::milliseconds heartbeat_every{100};
constexpr std::uint32_t ticks_a_second = 10;

[[nodiscard]] std::vector<int> wake_fds(std::uint32_t workers) {
  std::vector<int> fds;
  for (std::uint32_t slot = 0; slot < workers; ++slot)
    fds.push_back(inherited_fds::wake(slot));
  return fds;
}

/// For the reports of a stack overflow and of a stall: the actor whose turn runs in the greenlet, and the method.
std::size_t label_of_turn(const greenlet& running, char* text, std::size_t text_bytes) noexcept {
  const auto* const t = turn_in(running);
  if (t == nullptr) return 0;
  std::size_t size = 0;
  const auto put = [&](std::string_view part) { size += write_printable(part, text + size, text_bytes - size); };
  put(t->cell.type().name());
  put("/");
  put(t->cell.key());
  if (const message* const handled = t->handled()) {
    put(" ");
    put(t->cell.type().methods()[handled->method].name);
  }
  return size;
}

}  // namespace

worker::worker(const worker_start& start, shared_segment segment, control_link& control, const process_log& log)
    : start_{start},
      segment_{std::move(segment)},
      control_{control},
      log_lines_{*log.lines},
      log_{*log.logger},
      hub_{clock_},
      recorder_{segment_.slot(start_.slot), hub_, log_},
      room_{segment_, start_.slot, start_.limits.connections_max, clock_, log_},
      agreement_{segment_, start_.slot, wake_fds(segment_.workers())} {
  worker_slot& slot = segment_.slot(start_.slot);
  slot.metrics.reset_gauges();
  thread_stacks().set_count_max(start_.limits.stacks_max);
  install_overflow_report(label_of_turn);
  hub_.set_error_handler([this](std::string_view where, std::exception_ptr error) {
    try {
      std::rethrow_exception(std::move(error));
    } catch (const std::exception& e) {
      log_.error("{}: {}", where, printable(e.what()));
    } catch (...) {
      log_.error("{}: something was thrown that is no std::exception", where);
    }
  });
  set_unraisable_hook(
      [&to = log_](const greenlet& from, std::string_view text) { to.error("greenlet '{}': {}", from.name(), text); });

  add_builtin_types(types_);
  types_.add<SystemActor>(types_, segment_, start_.slot);
  recorder_.write_names(types_);

  // Components are polled in this order: what came over the mesh is run at once, and what turns made leaves at once.
  hub_.attach(*this);
  runtime_ = std::make_unique<runtime>(hub_, types_, store_, recorder_, start_.limits);
  mesh_ = std::make_unique<mesh>(mesh_options{.segment = segment_,
                                              .slot = start_.slot,
                                              .wake_fds = wake_fds(segment_.workers()),
                                              .types = types_,
                                              .messages = runtime_->messages(),
                                              .receiver = *runtime_,
                                              .log = log_,
                                              .time = clock_});
  hub_.attach(*mesh_);
  runtime_->connect(*mesh_, placement_, start_.slot);
  gate_ = std::make_unique<gate>(*runtime_, static_cast<topology&>(*this), slot.metrics, start_.limits);
  wake_watch_ = std::make_unique<descriptor_watch>(hub_, mesh_->wake_fd(), [this] { mesh_->on_wake(); });
  open_handoffs();
  control_watch_ = std::make_unique<descriptor_watch>(hub_, control_.fd(), [this] { on_control(); });
  open_listeners();
  tick_ = std::make_unique<callback_timer>([this] {
    tick_->arm_after(hub_, heartbeat_every);
    room_.look_again();
    if (++ticks_ % ticks_a_second == 0) every_second();
  });
  tick_->arm_after(hub_, heartbeat_every);
  if (start_.stall_after.count() > 0) watch_stalls();
  if (!start_.backdoor.empty()) open_backdoor();
}

worker::~worker() {
  // The runtime's end runs the hub once more, for clean-up that waits: nothing may call what has gone by then.
  hub_.detach(*this);
  grace_over_.reset();
  control_watch_.reset();
  handoff_watch_.reset();
  tick_.reset();
  // Against the order of construction, but the gate first: it lets go of its calls before the runtime ends them.
  backdoor_.reset();
  listeners_.clear();
  gate_.reset();
  hub_.detach(*mesh_);
  mesh_->close();
  wake_watch_.reset();
  runtime_.reset();
  mesh_.reset();
  set_unraisable_hook({});
}

int worker::run() {
  v1::ControlMessage ready;
  ready.mutable_ready()->set_actor_types(static_cast<std::uint32_t>(types_.size()));
  control_.send(ready);
  if (stalls_) stalls_->start();
  hub_.run();
  stalls_.reset();
  return exit_code_;
}

/// Where clients come from, and what they speak there.
void worker::open_listeners() {
  for (const gate_listener& each : {gate_listener{inherited_fds::listener, frames_}})
    listeners_.push_back(std::make_unique<acceptor>(hub_, each, room_.reserve(), static_cast<acceptor_owner&>(*this)));
}

bool worker::pass_connection(std::uint32_t slot, byte_stream& stream, std::string_view already_read) {
  if (!room_.has_room(slot)) return false;
  const status sent = send_handoff(inherited_fds::handoff_send(slot), stream.descriptor(), already_read);
  if (!sent.ok()) log_.debug("a connection for worker {} stays here: {}", slot, sent.to_string());
  return sent.ok();
}

void worker::open_handoffs() {
  handoffs_ = std::make_unique<handoff_receiver>(
      inherited_fds::handoff_receive(start_.slot), room_.reserve(),
      [this](unique_fd socket, std::string_view bytes) { adopt_passed(std::move(socket), bytes); },
      [this](unique_fd socket, std::string_view) {
        room_.ran_short(EMFILE);
        turn_away(std::move(socket), frames_, EMFILE);
      });
  handoff_watch_ = std::make_unique<descriptor_watch>(hub_, handoffs_->fd(), [this] { take_handoffs(); });
}

/// Only the protocol of frames passes connections.
void worker::adopt_passed(unique_fd connected, std::string_view already_read) {
  std::error_code error;
  if (auto stream = socket_stream::make(hub_.io(), connected, error)) {
    gate_->adopt(std::move(stream), frames_, already_read);
  } else {
    turn_away(std::move(connected), frames_, error.value());
  }
}

void worker::take_handoffs() {
  const std::uint64_t before = handoffs_->dropped();
  while (handoffs_->receive()) {
  }
  segment_.slot(start_.slot).metrics[metric::handoffs_lost].add(handoffs_->dropped() - before);
}

void worker::turn_away(unique_fd connected, const protocol_factory& speaks, int error) {
  gate_->turn_away(std::move(connected), speaks, room_.refusal_text(error));
}

bool worker::poll() {
  auto& heartbeat = segment_.slot(start_.slot).heartbeat;
  heartbeat.store(heartbeat.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  if (drained_exit_) leave_when_all_is_done();
  return false;
}

/// Clients have their answers; other workers may still wait for some, and tells wait in mailboxes, here and there.
void worker::leave_when_all_is_done() {
  if (!runtime_->idle() || !mesh_->idle()) return;
  agreement_.rest();
  if (!gate_->has_unsent() && agreement_.reached()) stop(*std::exchange(drained_exit_, std::nullopt));
}

void worker::on_control() {
  const auto message = control_.receive();
  if (!message) {
    control_watch_->stop();
    log_.warn("the supervisor has gone; finishing what was begun, for at most {} ms", orphan_grace.count());
    drain(orphan_grace, exit_codes::supervisor_lost);
    return;
  }
  if (message->has_drain()) {
    drain(std::chrono::milliseconds{message->drain().grace_ms()}, exit_codes::done);
  } else if (message->has_quit()) {
    quit();
  }
}

/// Nobody waits for what was begun: whoever called finds out by the end of the connection.
void worker::quit() {
  exit_code_ = exit_codes::done;
  hub_.stop();
}

void worker::drain(std::chrono::milliseconds grace, int exit_code) {
  if (stopping_) return;
  stopping_ = true;
  for (const auto& each : listeners_)
    each->stop();
  log_.info("draining: {} connections, {} unfinished calls", gate_->connections(), gate_->unfinished_calls());
  grace_over_ = std::make_unique<callback_timer>([this, exit_code] {
    if (runtime_->idle() && !gate_->has_unsent()) {
      log_.info("nothing is left to do here; other workers are not done in time");
    } else {
      log_.warn("draining took too long; {} calls of clients and {} messages in all are given up",
                gate_->unfinished_calls(), runtime_->messages().in_use());
    }
    cut_ = true;
    stop(exit_code);
  });
  grace_over_->arm_after(hub_, grace);
  gate_->drain(grace, [this, exit_code] { drained_exit_ = exit_code; });
}

void worker::stop(int exit_code) {
  exit_code_ = exit_code;
  v1::ControlMessage drained;
  drained.mutable_drained()->set_unfinished_calls(static_cast<std::uint32_t>(gate_->unfinished_calls()));
  drained.mutable_drained()->set_unfinished_messages(runtime_->messages().in_use());
  drained.mutable_drained()->set_cut(cut_);
  control_.send(drained);
  hub_.stop();
}

void worker::watch_stalls() {
  worker_metrics& metrics = segment_.slot(start_.slot).metrics;
  stall_log_.emplace(log_, metrics[metric::stalls], metrics[metric::unscheduled], clock_);
  stalls_.emplace(hub_, clock_, stall_options{.stall_after = start_.stall_after, .label = label_of_turn});
  stalls_->on_stall([this](const stall_event& event) { stall_log_->write(event); });
}

void worker::open_backdoor() {
  const std::string who = "worker " + std::to_string(start_.slot);
  backdoor_options options{.path = start_.backdoor + "/worker-" + std::to_string(start_.slot) + ".sock",
                           .banner = "grove-" + who + ", process " + std::to_string(::getpid()),
                           .label = label_of_turn};
  const std::string path = options.path;
  try {
    backdoor_.emplace(hub_, std::move(options));
    log_.info("a back door is open at {}", printable(path));
  } catch (const std::system_error& error) {
    log_.error("no back door: {}", printable(error.what()));  // It serves all the same.
  }
}

void worker::every_second() {
  runtime_->sweep_idle();
  worker_metrics& metrics = segment_.slot(start_.slot).metrics;
  const std::uint64_t dropped = log_lines_.dropped();
  metrics[metric::log_lines_dropped].add(dropped - std::exchange(counted_dropped_lines_, dropped));
  const stack_pool& stacks = thread_stacks();
  metrics[metric::stacks_in_use].set(stacks.in_use() - runtime_->idle_stacks());
}

}  // namespace grove
