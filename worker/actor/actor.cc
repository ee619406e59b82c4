// SPDX-License-Identifier: Apache-2.0
#include "worker/actor/actor.h"

#include "worker/actor/runtime.h"

namespace grove {

std::string_view actor::key() const noexcept {
  return cell_->key();
}

runtime& actor::owner() const noexcept {
  return cell_->owner;
}

void actor::remember_state() {
  turn* const t = current_turn();
  if (t == nullptr || &t->cell != cell_ || t->state_before != nullptr || t->ended) return;
  t->owner.remember_state(*t);
}

}  // namespace grove
