// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/check.h"
#include "worker/actor/actor_cell.h"
#include "worker/actor/turn.h"

namespace grove {

enum class overlap : std::uint8_t { none, with_others };

/// While it exists a turn or hook is under way: its greenlet is bound to it, its actor is in use, and exclusively so if
/// nothing may overlap with it.
class turn_scope {
 public:
  turn_scope(turn& under_way, overlap allowed, std::size_t& turns_running) noexcept
      : turn_{under_way}, exclusive_{under_way.cell.exclusive}, turns_running_{turns_running} {
    turn_.outer = turn_in(turn_.in.fiber);
    GROVE_DEBUG_CHECK(allowed == overlap::with_others || exclusive_ == nullptr || exclusive_ == turn_.outer,
                      "two turns of an actor overlap that exclude each other");
    turn_.is_exclusive = allowed == overlap::none;
    bind_turn(turn_.in.fiber, &turn_);
    if (turn_.is_exclusive) turn_.cell.exclusive = &turn_;
    ++turn_.cell.turns_running;
    ++turns_running_;
  }
  turn_scope(const turn_scope&) = delete;
  turn_scope& operator=(const turn_scope&) = delete;
  ~turn_scope() {
    GROVE_DEBUG_CHECK(turn_in(turn_.in.fiber) == &turn_, "a turn ends before one that began in it");
    GROVE_DEBUG_CHECK(turns_running_ > 0 && turn_.cell.turns_running > 0, "more turns end than began");
    --turns_running_;
    --turn_.cell.turns_running;
    if (turn_.cell.exclusive == &turn_) turn_.cell.exclusive = exclusive_;
    // Limits that it keeps have failed it, and nobody else must have them.
    if (turn_.outer == nullptr && !turn_.in.within.innermost()) turn_.in.within.drop_inner();
    bind_turn(turn_.in.fiber, turn_.outer);
  }

 private:
  turn& turn_;
  turn* exclusive_;
  std::size_t& turns_running_;
};

}  // namespace grove
