// SPDX-License-Identifier: Apache-2.0
#include "worker/actor/actor.h"

#include "worker/actor/metadata.h"
#include "worker/actor/runtime.h"

namespace grove {

std::string_view actor::key() const noexcept {
  return cell_->key();
}

std::optional<std::string_view> actor::metadata(std::string_view name) const noexcept {
  const turn* const t = current_turn();
  if (t == nullptr || &t->cell != cell_) return std::nullopt;
  const message* const call = t->handled();
  return call != nullptr ? find_metadata(call->metadata(), name) : std::nullopt;
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
