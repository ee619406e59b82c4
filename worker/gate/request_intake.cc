// SPDX-License-Identifier: Apache-2.0
#include "worker/gate/request_intake.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/hash.h"
#include "base/limit_text.h"
#include "base/text.h"
#include "worker/actor/metadata.h"
#include "worker/gate/gate.h"

namespace grove {
namespace {

std::string metadata_of(const wire::request_view& request) {
  std::string entries;
  if (request.metadata_entries == 0) return entries;
  std::string_view rest = request.body;
  while (const auto entry = wire::next_metadata(rest))
    append_call_metadata(entries, entry->first, entry->second);
  return entries;
}

/// What a request says of its time, held at what a duration can say.
[[nodiscard]] std::chrono::microseconds time_of(std::uint64_t asked) {
  constexpr auto most = static_cast<std::uint64_t>(std::chrono::microseconds::max().count());
  return std::chrono::microseconds{static_cast<std::int64_t>(std::min(asked, most))};
}

/// What the protocol calls a string is UTF-8: it goes into logs and tables, and into strings of other messages, which
/// their readers refuse as a whole when one of them is not.
status examine_texts(const wire::request_view& request) {
  const auto wrong = [](std::string_view what, std::string_view bytes) {
    return status{status_code::invalid_argument, no_utf8_text(what, bytes)};
  };
  if (!is_utf8(request.type)) return wrong("the type", request.type);
  if (!is_utf8(request.key)) return wrong("the key", request.key);
  if (!is_utf8(request.method)) return wrong("the method", request.method);
  if (!is_utf8(request.idempotency_key)) return wrong("the idempotency key", request.idempotency_key);
  if (request.metadata_entries == 0) return {};
  std::string_view rest = request.body;
  while (const auto entry = wire::next_metadata(rest)) {
    const auto& [name, value] = *entry;
    if (!is_utf8(name)) return wrong("a name of the metadata", name);
    if (!is_utf8(value)) return wrong("the metadata '" + printable(name, 64) + "'", value);
  }
  return {};
}

}  // namespace

status request_intake::examine(const wire::request_view& request) const {
  const limits& bounds = owner_.bounds();
  if (request.key.size() > bounds.key_bytes_max) {
    return {status_code::invalid_argument,
            over_limit_text("the key", request.key.size(), "key_bytes", bounds.key_bytes_max)};
  }
  if (request.type.size() > bounds.type_bytes_max) {
    return {status_code::invalid_argument,
            over_limit_text("the type", request.type.size(), "type_bytes", bounds.type_bytes_max)};
  }
  if (request.method.size() > bounds.method_bytes_max) {
    return {status_code::invalid_argument,
            over_limit_text("the method", request.method.size(), "method_bytes", bounds.method_bytes_max)};
  }
  if (request.metadata_entries > bounds.metadata_entries_max) {
    return {status_code::invalid_argument, "the metadata has " + std::to_string(request.metadata_entries) +
                                               " entries; " +
                                               limit_text("metadata_entries", bounds.metadata_entries_max)};
  }
  if (status wrong = examine_texts(request); !wrong.ok()) return wrong;
  if (!request.idempotency_key.empty()) {
    return {status_code::unimplemented,
            "idempotency keys need durable state, which this version does not have: its state lives in memory"};
  }
  if (owner_.draining()) return {status_code::unavailable, "the server is draining; connect again elsewhere"};
  return {};
}

void request_intake::take(const wire::request_view& request) {
  owner_.metrics()[metric::requests].add();
  if (const status wrong = examine(request); !wrong.ok()) {
    refuse(request, wrong.code(), wrong.message());
    return;
  }
  runtime& actors = owner_.actors();
  const actor_type* const type = actors.types().find(request.type);
  if (type == nullptr) {
    refuse(request, status_code::not_found, unknown_type_text(actors.types(), request.type));
    return;
  }
  const auto method = type->find_method(request.method);
  if (!method) {
    refuse(request, status_code::unimplemented, unknown_method_text(*type, request.method));
    return;
  }
  const bool streams = type->methods()[*method].streaming;
  if (streams && request.one_way) {
    // Nobody would read the stream, and nobody could ever end it.
    refuse(
        request, status_code::unimplemented,
        type->name() + " " + type->methods()[*method].name +
            " streams, and nobody reads the stream of a one-way request; send it without one_way and read its items");
    return;
  }
  const limits& bounds = owner_.bounds();
  const std::chrono::microseconds asked = time_of(request.remaining_microseconds);
  // Shortened without a word, it would end a call whose caller waits on. A stream is its reader's to end.
  if (!streams && asked > bounds.call_deadline_max) {
    refuse(request, status_code::invalid_argument, over_time_limit_text(asked, bounds.call_deadline_max));
    return;
  }
  message_ptr call = actors.messages().make(request.key, request.payload, {}, metadata_of(request));
  call->type = type;
  call->method = *method;
  call->hash = hash_of_address(type->id(), request.key);
  if (asked.count() != 0) {
    call->deadline = time_after(actors.on().pass_time(), asked);
  } else {
    // A stream lasts until one side ends it.
    call->deadline = streams ? steady_time::max() : time_after(actors.on().pass_time(), bounds.call_deadline);
  }
  call->origin_id = request.id;
  call->one_way = request.one_way;
  session_.begin_call(*call);
  actors.submit_from_client(std::move(call));
}

void request_intake::refuse(const wire::request_view& request, status_code code, const std::string& text) {
  session_.respond(request.id, {.code = code, .result = outcome::not_executed, .text = text, .payload = {}});
}

void request_intake::cancel(std::uint64_t id) {
  for (message* call = session_.calls_; call != nullptr; call = call->next_call) {
    if (call->origin_id != id) continue;
    owner_.actors().cancel(*call);
    return;
  }
  // It has been answered meanwhile: nothing is left to cancel.
}

}  // namespace grove
