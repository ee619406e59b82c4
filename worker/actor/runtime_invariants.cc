// SPDX-License-Identifier: Apache-2.0

// What holds between two passes of the loop, looked at as a whole: for tests and simulations, after each of their steps.

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <string_view>

#include "base/check.h"
#include "worker/actor/actor.h"
#include "worker/actor/runtime.h"
#include "worker/actor/stream_state.h"
#include "worker/actor/turn.h"

namespace grove {

namespace actors::detail {

/// One look at a runtime: what was found, to be held against what was counted.
class invariant_walk {
 public:
  struct found_turns {
    std::uint32_t all = 0;
    const greenlet* exclusive_in = nullptr;  ///< The fiber of those that nothing but interleaving ones overlaps with.
    bool has_exclusive = false;              ///< The one that the cell names is among them.
  };

  void see_turns(const runtime& in, const greenlet& fiber);
  void see_cell(const actor_cell& cell);
  void see_held(const held_item& item);
  void see_message(const message& m, message_state expected);

  [[nodiscard]] std::size_t messages() const noexcept { return messages_; }
  [[nodiscard]] std::size_t turns() const noexcept { return turns_; }
  [[nodiscard]] std::size_t ready() const noexcept { return ready_; }
  [[nodiscard]] const auto& turns_of() const noexcept { return turns_of_; }

 private:
  void see_phase(const actor_cell& cell) const;
  void see_mailbox(const actor_cell& cell);
  void see_streams(const actor_cell& cell);

  boost::unordered_flat_map<const actor_cell*, found_turns> turns_of_;
  std::size_t messages_ = 0;
  std::size_t turns_ = 0;
  std::size_t ready_ = 0;
};

void invariant_walk::see_message(const message& m, message_state expected) {
  ++messages_;
  GROVE_CHECK(m.state == expected, "a message is in another state than where it is found says");
  GROVE_CHECK(m.type != nullptr && m.method < m.type->methods().size(), "a message names no method");
}

void invariant_walk::see_turns(const runtime& in, const greenlet& fiber) {
  for (const turn* t = turn_in(fiber); t != nullptr; t = t->outer) {
    ++turns_;
    GROVE_CHECK(&t->owner == &in && &t->in.fiber == &fiber, "a turn is bound to a fiber that it does not run in");
    found_turns& of_cell = turns_of_[&t->cell];
    ++of_cell.all;
    if (t->is_exclusive) {
      GROVE_CHECK(of_cell.exclusive_in == nullptr || of_cell.exclusive_in == &fiber,
                  "two turns of an actor overlap that both are exclusive");
      of_cell.exclusive_in = &fiber;
      if (t->cell.exclusive == t) of_cell.has_exclusive = true;
    }
    messages_ += static_cast<std::size_t>(t->call != nullptr);
    for (const message* tell = t->effects.tells.first(); tell != nullptr; tell = tell->next)
      see_message(*tell, message_state::arrived);
    if (t->at >= turn::progress::committed) continue;
    const message* const handles = t->call != nullptr ? t->call.get() : t->opened ? t->opened->call.get() : nullptr;
    if (handles == nullptr) continue;
    GROVE_CHECK(handles->state == message_state::running && handles->running == t,
                "the message of a turn that runs does not say so");
  }
}

void invariant_walk::see_phase(const actor_cell& cell) const {
  const auto found = turns_of_.find(&cell);
  const found_turns its = found != turns_of_.end() ? found->second : found_turns{};
  GROVE_CHECK(cell.turns_running == its.all, "an actor has another number of turns than was counted");
  GROVE_CHECK(
      (cell.exclusive != nullptr) == (its.exclusive_in != nullptr) && (cell.exclusive != nullptr) == its.has_exclusive,
      "the exclusive turn of an actor is none of its turns, or one of them is not named");
  switch (cell.life) {
    case actor_cell::phase::fresh:
      GROVE_CHECK(cell.object == nullptr, "an actor that was not activated has an object");
      GROVE_CHECK(cell.turns_running == 0, "an actor that is not activated has a turn that waits");
      return;
    case actor_cell::phase::activating:
      GROVE_CHECK(cell.turns_running != 0, "an actor is being activated by no turn");
      return;
    case actor_cell::phase::active:
    case actor_cell::phase::passivating:
      GROVE_CHECK(cell.object != nullptr, "an actor is active and has no object");
      return;
  }
}

void invariant_walk::see_mailbox(const actor_cell& cell) {
  std::uint32_t count = 0;
  std::uint32_t bytes = 0;
  for (const message* m = cell.mail.first(); m != nullptr; m = m->next) {
    see_message(*m, message_state::queued);
    ++count;
    bytes += mailbox::weight(*m);
    GROVE_CHECK(m->target == &cell && m->type == &cell.type() && m->hash == cell.hash && m->key() == cell.key(),
                "a message is in the mailbox of another actor");
    GROVE_CHECK(m->running == nullptr && m->stream == nullptr, "a message waits in a mailbox and has begun to run");
  }
  GROVE_CHECK(count == cell.mail.messages(), "a mailbox has another number of messages than was counted");
  GROVE_CHECK(bytes == cell.mail.bytes(), "the messages of a mailbox have other sizes than was counted");
  const bool settled = cell.life == actor_cell::phase::fresh || cell.life == actor_cell::phase::active;
  GROVE_CHECK(cell.mail.empty() || cell.ready || !settled || cell.turns_running != 0,
              "an actor has something to do, and nothing will look");
}

void invariant_walk::see_streams(const actor_cell& cell) {
  const stream_state* previous = nullptr;
  for (const stream_state* s = cell.streams; s != nullptr; previous = s, s = s->next) {
    GROVE_CHECK(s->previous == previous, "the list of an actor's streams is torn");
    GROVE_CHECK(s->cell == &cell && s->call != nullptr, "a stream is in the list of another actor, or is closed");
    GROVE_CHECK(s->references > 0 && s->handles <= s->references, "a stream is open that nobody refers to");
    GROVE_CHECK(s->call->stream == s, "the call of a stream names another one");
    see_message(*s->call, s->call->running != nullptr ? message_state::running : message_state::streaming);
    GROVE_CHECK(!s->armed() || s->call->state == message_state::streaming,
                "the time of a stream runs before its turn has ended");
  }
}

void invariant_walk::see_cell(const actor_cell& cell) {
  ready_ += static_cast<std::size_t>(cell.ready);
  see_phase(cell);
  see_mailbox(cell);
  see_streams(cell);
}

void invariant_walk::see_held(const held_item& item) {
  GROVE_CHECK(item.goes_on == nullptr || (item.call == nullptr && !item.is_turn),
              "somebody waits for a ticket in the place of a message");
  GROVE_CHECK(item.goes_on != nullptr || item.is_turn || item.call != nullptr, "nothing at all waits for a ticket");
  if (item.call != nullptr) {
    const bool answered = !item.is_turn && item.call->cancelled && item.call->state == message_state::answered;
    see_message(*item.call, item.is_turn ? message_state::committed
                            : answered   ? message_state::answered
                                         : message_state::withheld);
  }
  messages_ += static_cast<std::size_t>(item.reply_payload != nullptr);
  for (const message* tell = item.effects.tells.first(); tell != nullptr; tell = tell->next)
    see_message(*tell, message_state::arrived);
}

}  // namespace actors::detail

void turn_fibers::check_idle() const {
  for (std::size_t i = 0; i < all_.size(); ++i)
    GROVE_CHECK(all_[i]->index == i && !all_[i]->retiring,
                "a fiber does not know its place, or stays though it retires");
  for (const fiber* const f : idle_) {
    GROVE_CHECK(std::ranges::count(idle_, f) == 1, "a fiber is idle twice");
    GROVE_CHECK(f->index < all_.size() && all_[f->index].get() == f, "a fiber is idle that there is not");
    GROVE_CHECK(turn_in(*f->self) == nullptr, "a fiber is idle and in a turn");
    GROVE_CHECK(f->self->slots().waiter == nullptr, "a fiber is idle and waits for something");
    GROVE_CHECK(f->now == nullptr && f->lent_by == nullptr, "a fiber is idle and has been told to work");
  }
}

void runtime::check_invariants() const {
  GROVE_CHECK(hub_.is_on_thread(), "a runtime is looked at from another thread than its hub's");
  actors::detail::invariant_walk seen;
  fibers_.check_invariants([this, &seen](const greenlet& fiber) { seen.see_turns(*this, fiber); });
  GROVE_CHECK(seen.turns() == turns_running_, "another number of turns is under way than was counted");
  std::size_t minded = 0;
  for (std::size_t i = 0; i < directory_.size(); ++i) {
    const actor_cell& cell = directory_.at(i);
    GROVE_CHECK(cell.index == i, "an actor does not know its place in the directory");
    GROVE_CHECK(directory_.find(cell.type(), cell.hash, cell.key()) == &cell, "an actor is not found by its address");
    seen.see_cell(cell);
    minded += static_cast<std::size_t>(check_minded(cell));
  }
  GROVE_CHECK(minded == minded_.size(), "the calls of an actor that has gone are minded");
  for (const auto& entry : seen.turns_of())
    GROVE_CHECK(is_in_directory(*entry.first), "a turn is under way of an actor that has gone");
  for (const message* m = arrivals_.first(); m != nullptr; m = m->next)
    seen.see_message(*m, message_state::arrived);
  ticket last = durable_;
  for (const held_item& item : held_) {
    GROVE_CHECK(item.until > durable_, "something is held back that depends on nothing");
    GROVE_CHECK(item.until >= last, "tickets fall in the line of what is held back");
    last = item.until;
    seen.see_held(item);
  }
  GROVE_CHECK(durable_ <= store_.durable(), "more is said to be durable than is");
  check_ready_queue(seen.ready());
  GROVE_CHECK(messages_.in_use() >= seen.messages(), "fewer messages are out than can be found");
}

bool runtime::is_in_directory(const actor_cell& wanted) const noexcept {
  for (std::size_t i = 0; i < directory_.size(); ++i) {
    if (&directory_.at(i) == &wanted) return true;
  }
  return false;
}

void runtime::check_ready_queue(std::size_t ready) const {
  std::size_t listed = 0;
  const actor_cell* last = nullptr;
  for (const actor_cell* cell = ready_head_; cell != nullptr; last = cell, cell = cell->next_ready) {
    GROVE_CHECK(++listed <= ready, "an actor is in the ready queue twice, or one that has gone is");
    GROVE_CHECK(cell->ready, "an actor is in the ready queue and does not know");
  }
  GROVE_CHECK(listed == ready, "an actor is ready and not in the queue");
  GROVE_CHECK(last == ready_tail_ || ready_head_ == nullptr, "the ready queue ends before its last actor");
}

/// Whether the time of its calls is minded.
bool runtime::check_minded(const actor_cell& cell) const {
  const auto minded = minded_.find(const_cast<actor_cell*>(&cell));
  if (minded != minded_.end() && minded->second != steady_time::max()) {
    const auto looks_at = overdue_.expires_at();
    GROVE_CHECK(looks_at && *looks_at <= std::max(minded->second, hub_.pass_time()),
                "nothing will answer calls in a busy actor's mailbox when their time is over");
  }
  // A turn whose callee has begun to wait in its place has its mailbox minded when it goes on, to wait itself.
  const bool is_in_line = cell.exclusive != nullptr && cell.exclusive->in.fiber.slots().waiter == nullptr;
  // What can begin at once is looked at, at the latest, when it does.
  if (cell.mail.has_messages() && !cell.ready && !is_in_line && cell.mail.earliest_deadline() != steady_time::max()) {
    GROVE_CHECK(minded != minded_.end() && minded->second <= cell.mail.earliest_deadline(),
                "calls wait behind a turn, and nobody minds their time");
  }
  return minded != minded_.end();
}

}  // namespace grove
