// SPDX-License-Identifier: Apache-2.0

// How the runtime begins and ends the lives of actors, and what it tells them itself.

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/fatal.h"
#include "worker/actor/actor.h"
#include "worker/actor/runtime.h"
#include "worker/actor/turn_scope.h"
#include "worker/greenlet/errors.h"

namespace grove {
namespace {

// A sweep looks at this share of the actors, so that a second's sweep stays short with a million of them.
constexpr std::size_t sweep_share = 8;
constexpr std::size_t sweep_least = 1024;

/// Nothing is to be done for the actor, and neither its beginning nor its end is under way.
[[nodiscard]] bool is_unused(const actor_cell& cell) noexcept {
  const bool settled = cell.life == actor_cell::phase::fresh || cell.life == actor_cell::phase::active;
  return settled && cell.mail.empty() && cell.turns_running == 0 && cell.streams == nullptr;
}

}  // namespace

template <class Hook>
void runtime::run_hook(actor_cell& cell, const message* because, turn_fibers::place& in, Hook hook) {
  GROVE_CHECK(cell.object != nullptr, "a hook runs of an actor that has no object");
  turn t{*this, cell, because, in};
  t.at = turn::progress::entered;
  const turn_scope under_way{t, overlap::none, turns_running_};
  hook();
  commit(t);
}

void runtime::activate(turn& t) {
  actor_cell& cell = t.cell;
  GROVE_CHECK(cell.life == actor_cell::phase::fresh, "an actor is activated that is active");
  cell.life = actor_cell::phase::activating;
  try {
    directory::make_object(cell);
    cell.object->cell_ = &cell;
    if (google::protobuf::Message* const state = cell.object->stored_state()) {
      std::string encoded;
      if (store_.load(cell.type().name(), cell.key(), encoded) && !state->ParseFromString(encoded)) {
        throw status_error{status_code::data_loss, "the stored state of " + cell.address_text() + " cannot be read"};
      }
    }
    run_hook(cell, t.handled(), t.in, [&cell] { cell.object->on_activate(); });
  } catch (...) {
    directory::destroy_object(cell);
    cell.life = actor_cell::phase::fresh;
    if (cell.mail.has_messages()) enqueue(cell);
    throw;
  }
  cell.life = actor_cell::phase::active;
  // What came meanwhile and may overlap with this turn begins while it waits.
  if (cell.mail.has_messages()) enqueue(cell);
}

// --- What the runtime itself tells an actor ---

template <class Step>
bool runtime::attempt(const actor_cell& cell, std::string_view what, Step step) {
  recorder_.nothing_runs();
  try {
    step();
    return true;
  } catch (const greenlet_exit&) {
    throw;
  } catch (...) {
    hub_.report(std::string{what}.append(" of ").append(cell.address_text()), caught_error());
    return false;
  }
}

bool runtime::process_system_messages(actor_cell& cell, turn_fibers::place& in) {
  // Another one that is closed while the actor is told waits for this fiber to look again.
  while (cell.exclusive == nullptr && cell.mail.take_control(control_kind::stream_closed)) {
    if (cell.life != actor_cell::phase::active) continue;
    if (cell.type().interleaves() && cell.mail.has_messages()) enqueue(cell);
    (void)attempt(cell, "on_stream_closed",
                  [this, &cell, &in] { run_hook(cell, nullptr, in, [&cell] { cell.object->on_stream_closed(); }); });
  }
  return cell.mail.take_control(control_kind::passivate) && passivate(cell, in);
}

bool runtime::passivate(actor_cell& cell, turn_fibers::place& in) {
  if (!is_unused(cell)) return false;
  const bool was_active = cell.life == actor_cell::phase::active;
  cell.life = actor_cell::phase::passivating;
  if (was_active) {
    (void)attempt(cell, "on_passivate",
                  [this, &cell, &in] { run_hook(cell, nullptr, in, [&cell] { cell.object->on_passivate(); }); });
    const bool saved = attempt(cell, "saving the state", [this, &cell] {
      wait_until_durable(cell);
      save_state(cell);
    });
    if (!saved) {
      // It stays, with its state, and is tried again when it has been idle for as long as now.
      cell.life = actor_cell::phase::active;
      cell.last_used = sweeps_;
      if (cell.mail.has_messages()) enqueue(cell);
      return false;
    }
  }
  recorder_.passivated();
  if (cell.mail.has_messages() || cell.ready) {
    // Somebody wrote to it meanwhile, if only to give up again: it is activated anew from what was just saved.
    directory::destroy_object(cell);
    cell.life = actor_cell::phase::fresh;
    recorder_.activated();
    return false;
  }
  minded_.erase(&cell);
  directory_.erase(cell);
  return true;
}

void runtime::save_state(const actor_cell& cell) {
  if (const google::protobuf::Message* const state = cell.object->stored_state()) {
    store_.passivated({cell.type().name(), cell.key(), *state});
  }
}

void runtime::sweep_idle() {
  fibers_.shrink();
  for (const auto& hosted : hosted_) {
    message_scratch::trim(hosted->states);
    for (message_objects& requests : hosted->requests)
      message_scratch::trim(requests);
  }
  directory_.settle();
  ++sweeps_;
  const std::size_t looked_at = std::min(directory_.size(), std::max(sweep_least, directory_.size() / sweep_share));
  for (std::size_t n = 0; n < looked_at; ++n) {
    if (sweep_position_ >= directory_.size()) sweep_position_ = 0;
    actor_cell& cell = directory_.at(sweep_position_++);
    const auto idle_timeout = cell.type().definition().idle_timeout.value_or(limits_.idle_timeout);
    const bool idle = std::chrono::seconds{sweeps_ - cell.last_used} >= idle_timeout;
    if (!idle || !is_unused(cell)) continue;
    cell.mail.push_control(control_kind::passivate);
    enqueue(cell);
  }
}

}  // namespace grove
