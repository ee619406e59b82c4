// SPDX-License-Identifier: Apache-2.0
#include "worker/main/worker.h"

#include <spdlog/spdlog.h>

#include <exception>
#include <utility>

#include "base/exit_codes.h"
#include "base/text.h"
#include "grove/v1/control.pb.h"
#include "worker/hub/hub_scope.h"
#include "worker/main/orphan_guard.h"
#include "worker/main/system_actor.h"

namespace grove {
namespace {

constexpr std::chrono::milliseconds heartbeat_every{100};
constexpr std::uint32_t ticks_a_second = 10;

}  // namespace

worker::worker(const worker_start& start, const worker_world& world)
    : start_{start},
      world_{world},
      log_{world.log},
      slot_{world.segment.slot(start.slot)},
      hub_{world.time, world.loop},
      recorder_{slot_, hub_, log_},
      agreement_{world.segment, start.slot, world.wakes} {
  slot_.metrics.reset_gauges();
  hub_.set_error_handler([this](std::string_view where, std::exception_ptr error) {
    try {
      std::rethrow_exception(std::move(error));
    } catch (const std::exception& e) {
      log_.error("{}: {}", where, printable(e.what()));
    } catch (...) {
      log_.error("{}: something was thrown that is no std::exception", where);
    }
  });

  world_.add_types(types_);
  types_.add<SystemActor>(types_, world_.segment, start_.slot, world_.time);
  recorder_.write_names(types_);

  // Components are polled in this order: what came over the mesh is run at once, and what turns made leaves at once.
  hub_.attach(*this);
  runtime_ = std::make_unique<runtime>(hub_, types_, world_.store, recorder_, start_.limits);
  mesh_ = std::make_unique<mesh>(mesh_options{.segment = world_.segment,
                                              .slot = start_.slot,
                                              .wakes = world_.wakes,
                                              .types = types_,
                                              .messages = runtime_->messages(),
                                              .receiver = *runtime_,
                                              .log = log_,
                                              .time = world_.time});
  hub_.attach(*mesh_);
  runtime_->connect(*mesh_, placement_, start_.slot);
  gate_ = std::make_unique<gate>(*runtime_, static_cast<topology&>(*this), slot_.metrics, start_.limits);
  tick_ = std::make_unique<callback_timer>([this] { on_tick(); });
  tick_->arm_after(hub_, heartbeat_every);
}

worker::~worker() {
  const hub_scope own{hub_};
  // The runtime's end runs the hub once more, for clean-up that waits: nothing may call what has gone by then.
  hub_.detach(*this);
  grace_over_.reset();
  tick_.reset();
  // Against the order of construction, but the gate first: it lets go of its calls before the runtime ends them.
  gate_.reset();
  hub_.detach(*mesh_);
  mesh_->close();
  runtime_.reset();
  mesh_.reset();
}

void worker::begin() {
  v1::ControlMessage ready;
  ready.mutable_ready()->set_actor_types(static_cast<std::uint32_t>(types_.size()));
  world_.border.send(ready);
}

void worker::check_invariants() const {
  hub_.check_invariants();
  runtime_->check_invariants();
  mesh_->check_invariants();
  gate_->check_invariants();
}

bool worker::poll() {
  slot_.heartbeat.store(slot_.heartbeat.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  if (drained_exit_) leave_when_all_is_done();
  return false;
}

void worker::on_tick() {
  tick_->arm_after(hub_, heartbeat_every);
  world_.border.tick();
  if (++ticks_ % ticks_a_second != 0) return;
  runtime_->sweep_idle();
  slot_.metrics[metric::mesh_unsent].set(runtime_->unsent());
  slot_.metrics[metric::stacks_in_use].set(thread_stacks().in_use() - runtime_->idle_stacks());
}

/// Clients have their answers; other workers may still wait for some, and tells wait in mailboxes, here and there.
void worker::leave_when_all_is_done() {
  if (!runtime_->idle() || !mesh_->idle()) return;
  agreement_.rest();
  if (!gate_->has_unsent() && agreement_.reached()) stop(*std::exchange(drained_exit_, std::nullopt));
}

void worker::on_control(const v1::ControlMessage& message) {
  if (message.has_drain()) {
    drain(std::chrono::milliseconds{message.drain().grace_ms()}, exit_codes::done);
  } else if (message.has_quit()) {
    // Nobody waits for what was begun: whoever called finds out by the end of the connection.
    exit_code_ = exit_codes::done;
    hub_.stop();
  }
}

void worker::on_supervisor_lost() {
  log_.warn("the supervisor has gone; finishing what was begun, for at most {} ms", orphan_grace.count());
  drain(orphan_grace, exit_codes::supervisor_lost);
}

void worker::drain(std::chrono::milliseconds grace, int exit_code) {
  if (stopping_) return;
  stopping_ = true;
  world_.border.stop_listening();
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
  world_.border.send(drained);
  hub_.stop();
}

}  // namespace grove
