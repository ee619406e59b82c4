// SPDX-License-Identifier: Apache-2.0
#include "worker/actor/calls.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/hash.h"
#include "base/limit_text.h"
#include "base/text.h"
#include "worker/actor/runtime.h"
#include "worker/hub/uninterrupted.h"
#include "worker/hub/waiter.h"

namespace grove {
namespace {

/// A greenlet that waits for its call, on its stack.
struct pending_call {
  explicit pending_call(hub& on, google::protobuf::MessageLite& into) noexcept : response{into}, wake_up{on} {}

  google::protobuf::MessageLite& response;
  waiter wake_up;
  status end;
  bool answered = false;
};

[[nodiscard]] pending_call& pending(const message& call) noexcept {
  return *reinterpret_cast<pending_call*>(static_cast<std::uintptr_t>(call.origin_session));
}

void read_payload(const payload_source& payload, google::protobuf::MessageLite& into, status& end) {
  std::string encoded(payload.size(), '\0');
  payload.write(encoded.data());
  if (!into.ParseFromString(encoded)) {
    end = status{status_code::internal, "the response is no " + into.GetTypeName()};
  }
}

}  // namespace

message_ptr local_calls::make(std::string_view type_name, std::string_view key, std::string_view method_name,
                              const google::protobuf::MessageLite& request, bool waits) {
  check_stack();
  const actor_type* const type = owner_.types().find(type_name);
  if (type == nullptr) throw not_found{unknown_type_text(owner_.types(), type_name)};
  const auto method = type->find_method(method_name);
  if (!method) throw unimplemented{unknown_method_text(*type, method_name)};
  if (type->methods()[*method].streaming) {
    throw unimplemented{std::string{type_name}.append(" ").append(method_name) +
                        " streams; actors cannot read the streams of other actors"};
  }
  const limits& bounds = owner_.bounds();
  if (key.size() > bounds.key_bytes_max) {
    throw invalid_argument{over_limit_text("the key", key.size(), "key_bytes", bounds.key_bytes_max)};
  }
  if (!is_utf8(key)) throw invalid_argument{no_utf8_text("the key", key)};
  const turn* const caller = current_turn();
  const message* const cause = caller != nullptr ? caller->handled() : nullptr;
  std::string chain;
  std::uint16_t depth = 0;
  if (cause != nullptr) {
    if (waits) {
      chain.append(cause->chain()).append(caller->cell.type->name()).append("/");
      chain.append(caller->cell.key()).append("\n");
    }
    depth = static_cast<std::uint16_t>(cause->depth + (waits ? 1 : 0));
  }
  if (depth > bounds.call_depth_max) {
    throw failed_precondition{"calls are nested deeper than limits.call-depth-max allows (" +
                              std::to_string(bounds.call_depth_max) + ")"};
  }
  const payload_source payload{request};
  message_ptr m = owner_.messages().make_blank(key, payload.size(), chain);
  payload.write(m->payload_place());
  m->type = type;
  m->method = *method;
  m->hash = hash_of_address(type->hash(), key);
  m->depth = depth;
  m->deadline = time_after(owner_.on().now(), bounds.call_deadline);
  return m;
}

void local_calls::call(std::string_view type, std::string_view key, std::string_view method,
                       const google::protobuf::MessageLite& request, google::protobuf::MessageLite& response,
                       const actor_call_options& options) {
  if (greenlet::current().sliced()) {
    // The response would be written while others use the stack that it is on.
    throw failed_precondition{std::string{"a call of "}.append(type).append("/").append(key).append(
        " from a task on a sliced stack; spawn the task on a stack of its own, or send a tell")};
  }
  message_ptr m = make(type, key, method, request, true);
  if (options.timeout) m->deadline = time_after(owner_.on().now(), *options.timeout);
  if (turn* const caller = current_turn()) {
    // Clean-up that nothing may interrupt often begins when the turn's time is over: it has the time of its own.
    const message* const cause = uninterrupted::in_force() ? nullptr : caller->handled();
    if (cause != nullptr) m->deadline = std::min(m->deadline, cause->deadline);
    // Messages from one sender to one actor stay in order: earlier tells to it cannot wait for the turn's
    // end.
    for (outgoing& out : caller->outbox) {
      if (out.tell != nullptr && out.tell->hash == m->hash && out.tell->type == m->type) {
        owner_.submit(std::move(out.tell));
      }
    }
  }
  pending_call wait{owner_.on(), response};
  m->origin = this;
  m->origin_session = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(&wait));
  message& sent = *m;
  const steady_time deadline = m->deadline;
  owner_.submit(std::move(m));
  // Not a handler, which would hide from the wait that what it throws goes on to the caller.
  struct giving_up {
    runtime& owner;
    pending_call& wait;
    message& sent;
    ~giving_up() {
      if (wait.answered) return;
      sent.origin = nullptr;
      owner.cancel(sent);
    }
  } const unless_answered{owner_, wait, sent};
  while (!wait.answered) {
    if (!wait.wake_up.wait_until(deadline) && !wait.answered) {
      throw grove::deadline_exceeded{
          std::string{"no answer from "}.append(type).append("/").append(key).append(" within the call's time")};
    }
  }
  if (!wait.end.ok()) throw status_error{wait.end.code(), wait.end.message()};
}

void local_calls::tell(std::string_view type, std::string_view key, std::string_view method,
                       const google::protobuf::MessageLite& request) {
  message_ptr m = make(type, key, method, request, false);
  turn* const caller = current_turn();
  if (caller == nullptr || caller->ended) {
    owner_.submit(std::move(m));
    return;
  }
  caller->outbox.push_back({.tell = std::move(m), .stream = {}, .item = {}, .step = {}, .end = {}});
}

void local_calls::finish(message& call, const reply& end) {
  pending_call& wait = pending(call);
  if (end.code == status_code::ok) {
    read_payload(end.payload, wait.response, wait.end);
  } else {
    wait.end = status{end.code, std::string{end.text}};
  }
  wait.answered = true;
  wait.wake_up.wake();
}

void local_calls::item(message&, const payload_source&) {
  // make() refuses streaming methods.
}

std::size_t local_calls::backlog_bytes(const message&) const {
  return 0;
}

}  // namespace grove
