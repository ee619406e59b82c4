// SPDX-License-Identifier: Apache-2.0
#include "worker/actor/turn.h"

#include <google/protobuf/io/coded_stream.h>

#include <algorithm>
#include <string>
#include <utility>

#include "base/check.h"
#include "worker/actor/actor.h"
#include "worker/actor/runtime.h"
#include "worker/greenlet/check_stack.h"

namespace grove {

void bind_turn(greenlet& in, turn* running) noexcept {
  // As the hub reads it.
  in.set_local(static_cast<wait_listener*>(running));
  in.slots().turn_listens = running != nullptr;
}

turn* turn_in(const greenlet& of) noexcept {
  return static_cast<turn*>(static_cast<wait_listener*>(of.local()));
}

turn* current_turn() noexcept {
  return turn_in(greenlet::current());
}

void turn::waits() noexcept {
  in.give_back();
  owner.recorder().nothing_runs();
  const bool keeps_others_out = cell.exclusive == this || cell.life == actor_cell::phase::activating;
  if (keeps_others_out && cell.mail.has_messages()) owner.mind_mailbox(cell, cell.mail.earliest_deadline());
}

void turn::goes_on() noexcept {
  if (const message* const m = handled()) owner.recorder().turn_begins(cell, *m);
}

void runtime::append_change(turn& t) {
  if (t.changed == nullptr && !t.changed_in_place) return;
  const google::protobuf::Message& state = t.changed != nullptr ? *t.changed : *t.cell.object->stored_state();
  const ticket given = store_.append({t.cell.type().name(), t.cell.key(), state});
  GROVE_CHECK(given == 0 || given > last_given_, "a store gives a ticket that is not greater than all before");
  last_given_ = std::max(last_given_, given);
  t.cell.last_ticket = std::max(t.cell.last_ticket, given);
}

void runtime::commit(turn& t) {
  GROVE_CHECK(t.at < turn::progress::committed, "a turn is committed once");
  if (!t.in.within.innermost()) {
    throw failed_precondition{
        "a time-out that the turn has made is kept beyond its end; it belongs in the function that it limits"};
  }
  append_change(t);
  t.at = turn::progress::committed;
  if (t.changed != nullptr) t.cell.object->take_state(*t.changed);
  if (t.opened && t.opened->call != nullptr) {
    message& call = *t.opened->call;
    call.running = nullptr;
    call.state = message_state::streaming;
    if (call.deadline != steady_time::max()) t.opened->arm(hub_, call.deadline);
  }
  if (t.call != nullptr) t.call->running = nullptr;
  leave(t.cell, t.call, t.effects);
  t.at = turn::progress::ended;
}

void runtime::undo(turn& t, status_code code, outcome result, std::string_view text) {
  // The end was sent already when only the handler's clean-up threw; the caller has the truth then.
  recorder_.turn_ended(true);
  if (t.at >= turn::progress::committed) return;
  if (t.at == turn::progress::begun) result = outcome::not_executed;
  t.at = turn::progress::committed;
  if (t.changed_in_place && t.cell.object != nullptr) {
    // Its author said that nothing is thrown after such a change. It stands: memory and store must not differ.
    try {
      append_change(t);
    } catch (...) {
      hub_.report("the change of a turn that failed", std::current_exception());
    }
  }
  t.effects.tells = {};
  t.effects.end = {.code = code, .result = result, .text = text, .payload = {}};
  std::erase_if(t.effects.streamed, [](const stream_effect& effect) {
    // A stream whose last handle went away during the turn can never be written again, whatever became of the turn.
    return !effect.stream || effect.stream->handles != 0 || effect.what != stream_effect::kind::close;
  });
  if (t.opened && t.opened->call != nullptr) {
    t.opened->call->running = nullptr;
    t.opened->call->state = message_state::streaming;
    // Before the end that it may have got when its last handle was unwound.
    t.effects.streamed.insert(t.effects.streamed.begin(), {.stream = t.opened,
                                                           .what = stream_effect::kind::close,
                                                           .item = {},
                                                           .end = {code, std::string{text}},
                                                           .result = result});
  }
  if (t.call != nullptr) t.call->running = nullptr;
  leave(t.cell, t.call, t.effects);
  t.at = turn::progress::ended;
}

std::unique_ptr<google::protobuf::Message> runtime::copy_of_state(const turn& t) {
  const google::protobuf::Message& state = *t.cell.object->stored_state();
  auto copy = message_scratch::take(t.cell.hosted.states, state);
  copy->CopyFrom(state);
  return copy;
}

// --- What generated code calls ---

namespace actors::detail {
namespace {

[[nodiscard]] bool parse(google::protobuf::Message& into, std::string_view payload, std::uint32_t nesting_max) {
  if (payload.empty()) {
    into.Clear();
    return into.IsInitialized();
  }
  const auto size = static_cast<int>(payload.size());
  // Each level of nesting takes two bytes at least, so a short payload needs no count.
  if (payload.size() <= std::size_t{2} * nesting_max) return into.ParseFromArray(payload.data(), size);
  google::protobuf::io::CodedInputStream input{reinterpret_cast<const std::uint8_t*>(payload.data()), size};
  input.SetRecursionLimit(static_cast<int>(nesting_max));
  return into.ParseFromCodedStream(&input) && input.ConsumedEntireMessage();
}

}  // namespace

request_object read_request(turn& t, const google::protobuf::Message& prototype) {
  check_stack();
  GROVE_DEBUG_CHECK(t.at == turn::progress::begun, "the handler of a turn is entered twice");
  if (const google::protobuf::Message* const object = t.call->object()) {
    t.at = turn::progress::entered;
    return request_object{*object};
  }
  message_objects& free = t.cell.hosted.requests[t.call->method];
  std::unique_ptr<google::protobuf::Message> request = message_scratch::take(free, prototype);
  const std::uint32_t nesting_max = t.owner.bounds().nesting_max;
  if (!parse(*request, t.call->payload(), nesting_max)) {
    throw invalid_argument{"the payload is no " + prototype.GetDescriptor()->full_name() +
                           ", or a string in it is no UTF-8, or its messages are nested deeper than " +
                           std::to_string(nesting_max) + " (limits.nesting-max)"};
  }
  t.at = turn::progress::entered;
  return {free, std::move(request)};
}

void finish(turn& t, google::protobuf::MessageLite&& response) {
  t.effects.end = {
      .code = status_code::ok, .result = outcome::executed, .text = {}, .payload = payload_source{std::move(response)}};
  t.owner.commit(t);
}

void finish(turn& t) {
  t.owner.commit(t);
}

stream_ptr open_stream(turn& t) {
  GROVE_CHECK(t.call != nullptr && !t.opened, "a turn opens a second stream");
  stream_ptr opened{new stream_state{t.owner, t.cell, std::move(t.call)}};
  opened->call->stream = opened.get();
  opened->next = t.cell.streams;
  if (opened->next != nullptr) opened->next->previous = opened.get();
  t.cell.streams = opened.get();
  t.opened = opened;
  return opened;
}

}  // namespace actors::detail

}  // namespace grove
