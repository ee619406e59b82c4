// SPDX-License-Identifier: Apache-2.0
#include "worker/actor/actor.h"

#include <string>

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
  return cell_->hosted.owner;
}

turn& actor::changing_turn() const {
  turn* const t = cell_ != nullptr ? cell_->exclusive : nullptr;
  if (t == nullptr || t != current_turn() || t->at >= turn::progress::committed) {
    throw failed_precondition{
        cell_ == nullptr
            ? std::string{"an actor's constructor has no state yet: change it in on_activate"}
            : "the state of " + cell_->address_text() +
                  " is changed outside of its turn: a turn that does not interleave may change it, until it has ended"};
  }
  return *t;
}

google::protobuf::Message& actor::state_to_change() {
  turn& t = changing_turn();
  if (t.changed == nullptr) {
    if (t.changed_in_place) {
      throw failed_precondition{"a turn of " + cell_->address_text() + " asks for state() after state_without_undo()"};
    }
    t.changed = t.owner.copy_of_state(t);
  }
  return *t.changed;
}

void actor::state_changes_in_place() {
  turn& t = changing_turn();
  if (t.changed != nullptr) {
    throw failed_precondition{"a turn of " + cell_->address_text() + " asks for state_without_undo() after state()"};
  }
  t.changed_in_place = true;
}

const google::protobuf::Message* actor::changed_state() const noexcept {
  const turn* const t = cell_ != nullptr ? cell_->exclusive : nullptr;
  return t != nullptr && t->changed != nullptr && t == current_turn() ? t->changed.get() : nullptr;
}

}  // namespace grove
