// SPDX-License-Identifier: Apache-2.0
#include "worker/actor/turn.h"

#include <google/protobuf/io/coded_stream.h>

#include <string>
#include <utility>

#include "base/check.h"
#include "worker/actor/actor.h"
#include "worker/actor/runtime.h"

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
  owner.recorder().nothing_runs();
}

void turn::goes_on() noexcept {
  if (const message* const m = handled()) owner.recorder().turn_begins(cell, *m);
}

void runtime::end_turn(turn& t, const reply& end) {
  GROVE_CHECK(!t.ended, "a turn ends once");
  if (t.within != nullptr && !t.within->innermost()) {
    throw failed_precondition{
        "a time-out that the turn has made is kept beyond its end; it belongs in the function that it limits"};
  }
  t.ended = true;
  if (t.state_before != nullptr) scratch_.states(*t.cell.type).push_back(std::move(t.state_before));
  if (t.call != nullptr) t.call->running = nullptr;
  if (t.opened && t.opened->call != nullptr) {
    message& call = *t.opened->call;
    call.running = nullptr;
    if (call.deadline != steady_time::max()) t.opened->arm(hub_, call.deadline);
  }
  if (!t.outbox.empty()) release_outbox(t);
  if (t.call != nullptr && t.call->origin != nullptr) t.call->origin->finish(*t.call, end);
}

void runtime::abort_turn(turn& t, status_code code, outcome result, std::string_view text) {
  // The end was sent already when only the handler's clean-up threw; the caller has the truth then.
  recorder_.turn_ended(true);
  if (t.ended) return;
  t.ended = true;
  if (!t.entered) result = outcome::not_executed;
  // Of a failed activation the object, and its state with it, is gone already.
  if (t.state_before != nullptr && t.cell.object != nullptr) {
    t.cell.object->stored_state()->CopyFrom(*t.state_before);
  }
  const reply end{.code = code, .result = result, .text = text, .payload = {}};
  if (t.opened) close_stream(*t.opened.get(), end);
  for (const outgoing& out : t.outbox) {
    // A stream whose last handle went away during the turn can never be written again, whatever became of the
    // turn.
    if (out.stream && out.stream->handles == 0) close_stream(*out.stream.get(), status{});
  }
  t.outbox.clear();
  if (t.call == nullptr) return;
  t.call->running = nullptr;
  if (t.call->origin != nullptr) t.call->origin->finish(*t.call, end);
}

void runtime::release_outbox(turn& t) {
  for (outgoing& out : t.outbox) {
    if (out.tell != nullptr) {
      submit(std::move(out.tell));
    } else if (out.stream && out.stream->call != nullptr) {
      message& call = *out.stream->call;
      if (out.step == outgoing::stream_step::close) {
        close_stream(*out.stream.get(), out.end);
      } else if (call.origin != nullptr) {
        call.origin->item(call, payload_source{out.item});
        if (call.origin == nullptr || call.origin->backlog_bytes(call) > limits_.output_buffer_bytes_max) {
          break_stream(*out.stream.get(),
                       status{status_code::resource_exhausted,
                              "the reader is too slow: more than limits.output-buffer-bytes-max (" +
                                  std::to_string(limits_.output_buffer_bytes_max) + ") wait for it"});
        }
      }
    }
  }
  t.outbox.clear();
}

void runtime::remember_state(turn& t) {
  const google::protobuf::Message& state = *t.cell.object->stored_state();
  t.state_before = message_scratch::take(scratch_.states(*t.cell.type), state);
  t.state_before->CopyFrom(state);
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

scratch_message read_request(turn& t, const google::protobuf::Message& prototype) {
  check_stack();
  message_scratch::list& free = t.owner.scratch().requests(*t.cell.type, t.call->method);
  std::unique_ptr<google::protobuf::Message> request = message_scratch::take(free, prototype);
  const std::string_view payload = t.call->payload();
  if (!parse(*request, payload, t.owner.bounds().nesting_max)) {
    throw invalid_argument{"the payload is no " + prototype.GetDescriptor()->full_name() +
                           ", or a string in it is no UTF-8, or its messages are nested deeper than " +
                           std::to_string(t.owner.bounds().nesting_max) + " (limits.nesting-max)"};
  }
  t.entered = true;
  return {free, std::move(request)};
}

void finish(turn& t, const google::protobuf::MessageLite& response) {
  t.owner.end_turn(
      t, {.code = status_code::ok, .result = outcome::executed, .text = {}, .payload = payload_source{response}});
}

void finish(turn& t) {
  t.owner.end_turn(t, {});
}

stream_ptr open_stream(turn& t) {
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
