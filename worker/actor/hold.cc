// SPDX-License-Identifier: Apache-2.0

// The output gate of a worker: what depends on changes that are not durable yet waits in one line. (Elnozahy, Alvisi, Wang
// and Johnson, "A survey of rollback-recovery protocols in message-passing systems", output commit; Orleans and Durable
// Functions hold replies in the same way.)
//
// - Tickets in the line do not fall: who gets into it waits for the last one that is in it, and his actor's later turns do
//   as well. So what an actor does leaves in the order of its turns, and the line is released from its front alone.
// - What waits in the line counts as unfinished: a drain waits for it.

#include <algorithm>
#include <new>
#include <utility>

#include "base/check.h"
#include "worker/actor/runtime.h"

namespace grove {

held_item& runtime::line_up(actor_cell& cell) {
  if (!held_.empty()) cell.last_ticket = std::max(cell.last_ticket, held_.back().until);
  held_item& item = held_.emplace_back();
  item.until = cell.last_ticket;
  GROVE_CHECK(item.until > durable_, "something is held back that depends on nothing");
  return item;
}

void runtime::hold(actor_cell& cell, message_ptr& call, turn_effects& effects) {
  held_item& item = line_up(cell);
  item.is_turn = true;
  try {
    const reply& end = effects.end;
    if (call != nullptr && call->origin != nullptr) {
      item.reply_payload = messages_.make_blank({}, end.payload.size());
      end.payload.write(item.reply_payload->payload_place());
    }
    item.reply_text = end.text;
  } catch (...) {
    held_.pop_back();
    throw;
  }
  item.effects = std::move(effects);
  if (call != nullptr) call->state = message_state::committed;
  item.call = std::move(call);
}

void runtime::leave(actor_cell& cell, message_ptr& call, turn_effects& effects) noexcept {
  if (!is_held_back(cell)) [[likely]]
    return release(call.get(), effects);
  try {
    hold(cell, call, effects);
  } catch (const std::bad_alloc&) {
    // Nothing may be said that depends on the change; that much may.
    effects.end = {.code = status_code::resource_exhausted,
                   .result = outcome::unknown,
                   .text = "no memory to keep the answer until the change is durable",
                   .payload = {}};
    while (message_ptr tell = effects.tells.pop())
      refuse(std::move(tell), {status_code::resource_exhausted, "no memory"});
    effects.streamed.clear();
    release(call.get(), effects);
  }
}

void runtime::durable(ticket up_to) {
  GROVE_CHECK(up_to >= durable_, "what was durable is not any more");
  GROVE_DEBUG_CHECK(hub_.is_on_thread(), "a store says what is durable on another thread than the hub's");
  durable_ = up_to;
  while (!held_.empty() && held_.front().until <= durable_) {
    held_item item = std::move(held_.front());
    held_.pop_front();
    release_held(item);
  }
}

void runtime::release_held(held_item& item) {
  if (item.goes_on != nullptr) {
    item.goes_on->wake();
  } else if (item.is_turn) {
    // Only now: a short text lies in the item itself, and items are moved.
    reply& end = item.effects.end;
    end.payload = item.reply_payload != nullptr ? payload_source{item.reply_payload->payload()} : payload_source{};
    end.text = item.reply_text;
    release(item.call.get(), item.effects);
  } else if (!item.call->cancelled) {
    item.call->state = message_state::arrived;
    submit(std::move(item.call));
  }
}

/// The worker ends before it is known whether what they depend on is durable.
void runtime::give_up_held() {
  const status why{status_code::unavailable, "the worker stops before its store has taken the change"};
  while (!held_.empty()) {
    held_item item = std::move(held_.front());
    held_.pop_front();
    while (message_ptr tell = item.effects.tells.pop())
      refuse(std::move(tell), why);
    if (item.call == nullptr) continue;
    if (item.is_turn) {
      answer(*item.call, {.code = why.code(), .result = outcome::unknown, .text = why.message(), .payload = {}});
    } else {
      refuse(std::move(item.call), why);
    }
  }
}

void runtime::wait_until_durable(const actor_cell& cell) {
  waiter until{hub_};
  const ticket wanted = cell.last_ticket;
  while (wanted > durable_) {
    held_item& item = held_.emplace_back();
    item.until = held_.size() > 1 ? std::max(wanted, held_[held_.size() - 2].until) : wanted;
    item.goes_on = &until;
    // A wait that ends otherwise must not leave its waiter behind.
    struct leaving {
      std::deque<held_item>& line;
      const waiter& gone;
      ~leaving() {
        for (held_item& each : line) {
          if (each.goes_on != &gone) continue;
          each.goes_on = nullptr;
          each.is_turn = true;  // One that has done nothing.
        }
      }
    } const guard{held_, until};
    until.wait();
  }
}

void runtime::answer(message& call, const reply& end) noexcept {
  GROVE_CHECK(call.state != message_state::answered, "a call is answered twice");
  call.state = message_state::answered;
  if (call.origin == nullptr) return;
  try {
    call.origin->finish(call, end);
  } catch (...) {
    hub_.report("the answer to a call", std::current_exception());
  }
}

void runtime::release(message* call, turn_effects& effects) noexcept {
  while (message_ptr tell = effects.tells.pop()) {
    try {
      submit(std::move(tell));
    } catch (...) {
      hub_.report("a tell on its way", std::current_exception());
    }
  }
  for (stream_effect& effect : effects.streamed) {
    try {
      release_to_stream(effect);
    } catch (...) {
      hub_.report("an item of a stream on its way", std::current_exception());
    }
  }
  effects.streamed.clear();
  if (call != nullptr) answer(*call, effects.end);
}

}  // namespace grove
