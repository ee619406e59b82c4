// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "worker/actor/actor_cell.h"
#include "worker/actor/turn.h"

namespace grove {

enum class overlap : std::uint8_t { none, with_others };

/// While it exists a turn or hook is under way: its greenlet is bound to it, its actor is in use, and exclusively so if
/// nothing may overlap with it.
class turn_scope {
 public:
  turn_scope(turn& under_way, overlap allowed, std::size_t& turns_running) noexcept
      : turn_{under_way},
        outer_{turn_in(under_way.in.fiber)},
        exclusive_{under_way.cell.exclusive},
        turns_running_{turns_running} {
    bind_turn(turn_.in.fiber, &turn_);
    if (allowed == overlap::none) turn_.cell.exclusive = &turn_;
    ++turn_.cell.turns_running;
    ++turns_running_;
  }
  turn_scope(const turn_scope&) = delete;
  turn_scope& operator=(const turn_scope&) = delete;
  ~turn_scope() {
    --turns_running_;
    --turn_.cell.turns_running;
    if (turn_.cell.exclusive == &turn_) turn_.cell.exclusive = exclusive_;
    // Limits that it keeps have failed it, and nobody else must have them.
    if (outer_ == nullptr && !turn_.in.within.innermost()) turn_.in.within.drop_inner();
    bind_turn(turn_.in.fiber, outer_);
  }

 private:
  turn& turn_;
  turn* outer_;
  turn* exclusive_;
  std::size_t& turns_running_;
};

}  // namespace grove
