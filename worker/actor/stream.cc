// SPDX-License-Identifier: Apache-2.0
#include <stdexcept>
#include <utility>

#include "worker/actor/runtime.h"
#include "worker/actor/stream_state.h"
#include "worker/actor/turn.h"

namespace grove {

void runtime::close_stream(stream_state& s, const reply& end) {
  if (s.call == nullptr) return;
  s.disarm();
  (s.previous == nullptr ? s.cell->streams : s.previous->next) = s.next;
  if (s.next != nullptr) s.next->previous = s.previous;
  s.previous = s.next = nullptr;
  s.cell = nullptr;
  const message_ptr call = std::move(s.call);
  call->stream = nullptr;
  if (call->origin != nullptr) call->origin->finish(*call, end);
}

void runtime::close_stream(stream_state& s, const status& end) {
  if (s.call == nullptr) return;
  const outcome result = s.call->running == nullptr ? outcome::executed : outcome::unknown;
  close_stream(s, {.code = end.code(), .result = result, .text = end.message(), .payload = {}});
}

void runtime::break_stream(stream_state& s, const status& why) {
  const stream_ptr held{&s};
  actor_cell& cell = *s.cell;
  close_stream(s, why);
  cell.mail.push_control(control_kind::stream_closed);
  enqueue(cell);
}

void stream_state::expired() {
  owner.break_stream(*this,
                     status{status_code::deadline_exceeded, "the call's time was over while its stream was open"});
}

namespace actors::detail {

void write_item(const stream_ptr& s, const google::protobuf::MessageLite& item) {
  if (!s || s->call == nullptr) return;
  turn* const t = current_turn();
  if (t == nullptr || &t->cell != s->cell) throw std::logic_error{"a stream is written by turns of its actor only"};
  t->outbox.push_back(
      {.tell = nullptr, .stream = s, .item = item.SerializeAsString(), .step = outgoing::stream_step::item, .end = {}});
}

void close_stream(const stream_ptr& s, status end) noexcept {
  if (!s || s->call == nullptr) return;
  turn* const t = current_turn();
  if (t == nullptr || t->ended || &t->cell != s->cell) {
    // The actor's object is going away: there is no turn to wait for.
    s->owner.close_stream(*s.get(), end);
    return;
  }
  t->outbox.push_back(
      {.tell = nullptr, .stream = s, .item = {}, .step = outgoing::stream_step::close, .end = std::move(end)});
}

}  // namespace actors::detail

}  // namespace grove
