// SPDX-License-Identifier: Apache-2.0

// How the runtime begins and ends the lives of actors, and what it tells them itself.

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>

#include "base/fatal.h"
#include "worker/actor/actor.h"
#include "worker/actor/runtime.h"
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

void runtime::activate(actor_cell& cell) {
  cell.life = actor_cell::phase::activating;
  try {
    directory::make_object(cell);
    cell.object->cell_ = &cell;
    if (google::protobuf::Message* const state = cell.object->stored_state()) {
      std::string encoded;
      if (store_.load(cell.type->name(), cell.key(), encoded) && !state->ParseFromString(encoded)) {
        throw status_error{status_code::data_loss, "the stored state of " + cell.address_text() + " cannot be read"};
      }
    }
    cell.object->on_activate();
  } catch (...) {
    directory::destroy_object(cell);
    cell.life = actor_cell::phase::fresh;
    throw;
  }
  cell.life = actor_cell::phase::active;
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

bool runtime::take_controls(actor_cell& cell) {
  // Another one that is closed while the actor is told waits for this runner to look again.
  while (!cell.exclusive && cell.mail.take_control(control_kind::stream_closed)) {
    if (cell.life == actor_cell::phase::active) tell_of_closed_stream(cell);
  }
  return cell.mail.take_control(control_kind::passivate) && passivate(cell);
}

void runtime::tell_of_closed_stream(actor_cell& cell) {
  // For the others it is a turn like any that does not interleave.
  cell.exclusive = true;
  ++cell.turns_running;
  ++turns_running_;
  if (cell.type->interleaves() && cell.mail.has_messages()) enqueue(cell);
  (void)attempt(cell, "on_stream_closed", [&cell] { cell.object->on_stream_closed(); });
  --turns_running_;
  --cell.turns_running;
  cell.exclusive = false;
}

bool runtime::passivate(actor_cell& cell) {
  if (!is_unused(cell)) return false;
  const bool was_active = cell.life == actor_cell::phase::active;
  cell.life = actor_cell::phase::passivating;
  if (was_active) {
    (void)attempt(cell, "on_passivate", [&cell] { cell.object->on_passivate(); });
    if (!attempt(cell, "saving the state", [this, &cell] { save_state(cell); })) {
      // It stays, with its state, and is tried again when it has been idle for as long as now.
      cell.life = actor_cell::phase::active;
      cell.last_used = sweeps_;
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
  directory_.erase(cell);
  return true;
}

void runtime::save_state(actor_cell& cell) {
  if (const google::protobuf::Message* const state = cell.object->stored_state()) {
    store_.save(cell.type->name(), cell.key(), state->SerializeAsString());
  }
}

void runtime::sweep_idle() {
  runners_.let_go();
  scratch_.trim();
  directory_.settle();
  ++sweeps_;
  const std::size_t looked_at = std::min(directory_.size(), std::max(sweep_least, directory_.size() / sweep_share));
  for (std::size_t n = 0; n < looked_at; ++n) {
    if (sweep_position_ >= directory_.size()) sweep_position_ = 0;
    actor_cell& cell = directory_.at(sweep_position_++);
    const auto idle_timeout = cell.type->definition().idle_timeout.value_or(limits_.idle_timeout);
    const bool idle = std::chrono::seconds{sweeps_ - cell.last_used} >= idle_timeout;
    if (!idle || !is_unused(cell)) continue;
    cell.mail.push_control(control_kind::passivate);
    enqueue(cell);
  }
}

}  // namespace grove
