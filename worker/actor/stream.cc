// SPDX-License-Identifier: Apache-2.0
#include <stdexcept>
#include <utility>

#include "worker/actor/runtime.h"
#include "worker/actor/stream_state.h"
#include "worker/actor/turn.h"

namespace grove {

void runtime::close_stream(stream_state& s, const status& end) {
  if (s.call == nullptr) return;
  (s.previous == nullptr ? s.cell->streams : s.previous->next) = s.next;
  if (s.next != nullptr) s.next->previous = s.previous;
  s.previous = s.next = nullptr;
  s.cell = nullptr;
  const message_ptr call = std::move(s.call);
  call->stream = nullptr;
  if (call->origin == nullptr) return;
  call->origin->finish(*call, {.code = end.code(), .result = outcome::executed, .text = end.message(), .payload = {}});
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
