// SPDX-License-Identifier: Apache-2.0
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

#include "base/check.h"
#include "worker/actor/runtime.h"
#include "worker/actor/stream_state.h"
#include "worker/actor/turn.h"

namespace grove {

void runtime::close_stream(stream_state& s, const reply& end) {
  if (s.call == nullptr) return;
  GROVE_CHECK(s.cell != nullptr && s.call->stream == &s, "a stream and its call do not know one another");
  s.disarm();
  (s.previous == nullptr ? s.cell->streams : s.previous->next) = s.next;
  if (s.next != nullptr) s.next->previous = s.previous;
  s.previous = s.next = nullptr;
  s.cell = nullptr;
  const message_ptr call = std::move(s.call);
  call->stream = nullptr;
  call->running = nullptr;  // A turn that is still under way goes on without it.
  answer(*call, end);
}

void runtime::close_stream(stream_state& s, const status& end) {
  if (s.call == nullptr) return;
  const outcome result = s.call->running == nullptr ? outcome::executed : outcome::unknown;
  close_stream(s, {.code = end.code(), .result = result, .text = end.message(), .payload = {}});
}

void runtime::break_stream(stream_state& s, const status& why) {
  GROVE_CHECK(s.cell != nullptr, "a stream is broken that is closed");
  const stream_ptr held{&s};
  actor_cell& cell = *s.cell;
  close_stream(s, why);
  cell.mail.push_control(control_kind::stream_closed);
  enqueue(cell);
}

void runtime::release_to_stream(stream_effect& effect) {
  if (!effect.stream || effect.stream->call == nullptr) return;
  message& call = *effect.stream->call;
  if (effect.what == stream_effect::kind::close) {
    return close_stream(
        *effect.stream.get(),
        {.code = effect.end.code(), .result = effect.result, .text = effect.end.message(), .payload = {}});
  }
  if (call.origin == nullptr) return;
  call.origin->item(call, payload_source{effect.item});
  if (call.origin != nullptr && call.origin->backlog_bytes(call) <= limits_.output_buffer_bytes_max) return;
  break_stream(*effect.stream.get(), status{status_code::resource_exhausted,
                                            "the reader is too slow: more than limits.output-buffer-bytes-max (" +
                                                std::to_string(limits_.output_buffer_bytes_max) + ") wait for it"});
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
  t->effects.streamed.push_back(
      {.stream = s, .what = stream_effect::kind::item, .item = item.SerializeAsString(), .end = {}, .result = {}});
}

void close_stream(const stream_ptr& s, const status& end) noexcept {
  if (!s || s->call == nullptr) return;
  turn* const t = current_turn();
  if (t == nullptr || t->at >= turn::progress::committed || &t->cell != s->cell) {
    // The actor's object is going away: there is no turn to wait for.
    s->owner.close_stream(*s.get(), end);
    return;
  }
  try {
    t->effects.streamed.push_back(
        {.stream = s, .what = stream_effect::kind::close, .item = {}, .end = end, .result = outcome::executed});
  } catch (const std::bad_alloc&) {
    s->owner.close_stream(*s.get(), end);
  }
}

}  // namespace actors::detail

}  // namespace grove
