// SPDX-License-Identifier: Apache-2.0
#include "worker/actor/calls.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/limit_text.h"
#include "base/text.h"
#include "worker/actor/runtime.h"
#include "worker/actor/text_pairs.h"
#include "worker/greenlet/check_stack.h"
#include "worker/hub/uninterrupted.h"

namespace grove {
namespace {

[[nodiscard]] waiting_caller& caller_of(const message& call) noexcept {
  return *reinterpret_cast<waiting_caller*>(static_cast<std::uintptr_t>(call.origin_session));
}

[[noreturn]] void throw_streams(const actor_type& type, std::string_view method) {
  throw unimplemented{std::string{type.name()}.append(" ").append(method) +
                      " streams; actors cannot read the streams of other actors"};
}

[[noreturn]] void throw_bad_key(std::string_view key, const limits& bounds) {
  if (key.size() > bounds.key_bytes_max) {
    throw invalid_argument{over_limit_text("the key", key.size(), "key_bytes", bounds.key_bytes_max)};
  }
  throw invalid_argument{no_utf8_text("the key", key)};
}

/// The calls of a turn go on with the chain of the message that it handles, and with the actor itself.
void write_chain(message& call, const message* cause, const actor_cell& caller) noexcept {
  char* place = call.chain_place();
  if (cause != nullptr && cause->chain_size != 0) {
    std::memcpy(place, cause->chain().data(), cause->chain_size);
    place += cause->chain_size;
  }
  put_text_pair(place, caller.type().name(), caller.key());
}

/// Messages from one sender to one actor stay in order: earlier tells to it cannot wait for the turn's end.
void send_earlier_tells(turn& caller, const message& before) {
  const auto is_to_it = [&before](const message& tell) { return tell.hash == before.hash && tell.type == before.type; };
  while (message_ptr tell = caller.effects.tells.pop_if(is_to_it))
    caller.owner.route_from(caller.cell, std::move(tell));
}

}  // namespace

waiting_caller::~waiting_caller() {
  if (is_answered_ || sent == nullptr) return;
  sent->origin = nullptr;
  owner->cancel(*sent);
}

void waiting_caller::answered(const reply& end) {
  GROVE_CHECK(!is_answered_, "a caller is answered twice");
  if (end.code == status_code::ok) {
    read(end.payload);
  } else {
    end_ = status{end.code, std::string{end.text}};
  }
  is_answered_ = true;
  wake_up.wake();
}

void waiting_caller::read(const payload_source& payload) {
  if (hands_over && payload.message() != nullptr) return move_(response_, *payload.message());
  std::string encoded(payload.size(), '\0');
  payload.write(encoded.data());
  if (!response_.ParseFromString(encoded)) {
    end_ = status{status_code::internal, "the response is no " + response_.GetTypeName()};
  }
}

void waiting_caller::throw_if_failed() const {
  if (!end_.ok()) throw status_error{end_.code(), end_.message()};
}

std::uint16_t local_calls::find_method(const target& to, const method_key& wanted) const {
  if (to.type == nullptr) throw not_found{unknown_type_text(owner_.types(), to.type_name)};
  const actor_type& type = to.type->type;
  const bool as_compiled = wanted.index < type.methods().size() && type.methods()[wanted.index].id == wanted.id;
  const auto method = as_compiled ? wanted.index : type.find_method(wanted.id);
  if (!method) throw unimplemented{unknown_method_text(type, wanted.name)};
  if (type.methods()[*method].streaming) throw_streams(type, wanted.name);
  return *method;
}

local_calls::prepared local_calls::prepare(const target& to, const method_key& wanted,
                                           const google::protobuf::Message& request,
                                           const google::protobuf::Message& prototype, bool waits) {
  check_stack();
  const std::uint16_t index = find_method(to, wanted);
  const limits& bounds = owner_.bounds();
  if (!to.is_good) throw_bad_key(to.key, bounds);
  const actor_method& method = to.type->type.methods()[index];
  const turn* const caller = current_turn();
  const message* const cause = caller != nullptr ? caller->handled() : nullptr;
  const bool chained = waits && caller != nullptr;
  const std::uint32_t depth = (cause != nullptr ? cause->depth : 0U) + (chained ? 1U : 0U);
  if (depth > bounds.call_depth_max) {
    throw failed_precondition{"calls are nested deeper than limits.call-depth-max allows (" +
                              std::to_string(bounds.call_depth_max) + ")"};
  }
  std::size_t chain_size = 0;
  if (chained) {
    chain_size =
        (cause != nullptr ? cause->chain_size : 0) + text_pair_bytes(caller->cell.type().name(), caller->cell.key());
  }
  const bool as_object = method.request == &prototype;
  message_ptr m = owner_.messages().make_blank(to.key, as_object ? 0 : request.ByteSizeLong(), chain_size);
  if (chained) write_chain(*m, cause, caller->cell);
  m->type = &to.type->type;
  m->method = index;
  m->hash = to.hash;
  m->depth = static_cast<std::uint16_t>(depth);
  // The loop's time is as good as the clock's where a turn bounds the call anyway.
  m->deadline = time_after(cause != nullptr ? owner_.on().pass_time() : owner_.on().now(), bounds.call_deadline);
  google::protobuf::Message* to_fill = nullptr;
  if (as_object) {
    to_fill = &m->take_object(to.type->requests[index], prototype);
  } else {
    request.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(m->payload_place()));
  }
  return {std::move(m), to_fill, method.response};
}

void local_calls::await(message_ptr call, waiting_caller& waits, const actor_call_options& options) {
  turn* const caller = current_turn();
  if (options.timeout) call->deadline = time_after(owner_.on().now(), *options.timeout);
  bool turn_ends_first = false;
  if (caller != nullptr) {
    // Clean-up that nothing may interrupt often begins when the turn's time is over: it has the time of its own.
    const message* const cause = uninterrupted::in_force() ? nullptr : caller->handled();
    if (cause != nullptr && cause->deadline <= call->deadline) {
      call->deadline = cause->deadline;
      turn_ends_first = true;
    }
    if (!caller->effects.tells.empty()) send_earlier_tells(*caller, *call);
  }
  call->origin = this;
  call->origin_session = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(&waits));
  GROVE_CHECK(waits.sent == nullptr, "a caller waits for two calls");
  waits.sent = call.get();
  waits.owner = &owner_;
  const message& sent = *call;
  const steady_time deadline = call->deadline;
  owner_.send_call(std::move(call), waits, caller);
  while (!waits.is_answered()) {
    if (turn_ends_first) {
      waits.wake_up.wait();  // The turn's own time ends it.
    } else if (!waits.wake_up.wait_until(deadline) && !waits.is_answered()) {
      throw grove::deadline_exceeded{"no answer from " + sent.type->name() + "/" + std::string{sent.key()} +
                                     " within the call's time"};
    }
  }
  waits.throw_if_failed();
}

void local_calls::tell(message_ptr told) {
  turn* const caller = current_turn();
  if (caller == nullptr || caller->at >= turn::progress::committed) {
    owner_.submit(std::move(told));
  } else {
    caller->effects.tells.push(std::move(told));
  }
}

void local_calls::finish(message& call, const reply& end) {
  GROVE_DEBUG_CHECK(caller_of(call).sent == &call, "a caller is given the answer to another call");
  caller_of(call).answered(end);
}

void local_calls::item(message&, const payload_source&) {
  // find_method() refuses streaming methods.
}

std::size_t local_calls::backlog_bytes(const message&) const {
  return 0;
}

}  // namespace grove
