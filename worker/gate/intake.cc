// SPDX-License-Identifier: Apache-2.0
#include "worker/gate/intake.h"

#include <string>
#include <utility>

#include "base/hash.h"
#include "base/limit_text.h"
#include "base/text.h"
#include "worker/actor/metadata.h"

namespace grove {
namespace {

std::string metadata_of(const incoming_request& request) {
  std::string entries;
  if (request.metadata.entries == 0) return entries;
  std::string_view rest = request.metadata.encoded;
  while (const auto entry = request.metadata.next(rest))
    append_call_metadata(entries, entry->first, entry->second);
  return entries;
}

/// What a request calls a string is UTF-8: it goes into logs and tables, and into strings of other messages, which their
/// readers refuse as a whole when one of them is not.
status examine_texts(const incoming_request& request) {
  const auto wrong = [](std::string_view what, std::string_view bytes) {
    return status{status_code::invalid_argument, no_utf8_text(what, bytes)};
  };
  if (!is_utf8(request.type)) return wrong("the type", request.type);
  if (!is_utf8(request.key)) return wrong("the key", request.key);
  if (!is_utf8(request.method)) return wrong("the method", request.method);
  if (!is_utf8(request.idempotency_key)) return wrong("the idempotency key", request.idempotency_key);
  if (request.metadata.entries == 0) return {};
  std::string_view rest = request.metadata.encoded;
  while (const auto entry = request.metadata.next(rest)) {
    const auto& [name, value] = *entry;
    if (!is_utf8(name)) return wrong("a name of the metadata", name);
    if (!is_utf8(value)) return wrong("the metadata '" + printable(name, 64) + "'", value);
  }
  return {};
}

}  // namespace

status intake::examine(const incoming_request& request) const {
  const auto too_long = [](std::string_view what, std::string_view bytes, std::string_view limit, std::size_t most) {
    return status{status_code::invalid_argument, over_limit_text(what, bytes.size(), limit, most)};
  };
  if (request.key.size() > limits_.key_bytes_max)
    return too_long("the key", request.key, "key_bytes", limits_.key_bytes_max);
  if (request.type.size() > limits_.type_bytes_max)
    return too_long("the type", request.type, "type_bytes", limits_.type_bytes_max);
  if (request.method.size() > limits_.method_bytes_max)
    return too_long("the method", request.method, "method_bytes", limits_.method_bytes_max);
  if (request.metadata.entries > limits_.metadata_entries_max) {
    return {status_code::invalid_argument, "the metadata has " + std::to_string(request.metadata.entries) +
                                               " entries; " +
                                               limit_text("metadata_entries", limits_.metadata_entries_max)};
  }
  if (status wrong = examine_texts(request); !wrong.ok()) return wrong;
  if (!request.idempotency_key.empty()) {
    return {status_code::unimplemented,
            "idempotency keys need durable state, which this version does not have: its state lives in memory"};
  }
  if (draining_) return {status_code::unavailable, "the server is draining; connect again elsewhere"};
  return {};
}

status intake::examine_method(const incoming_request& request, const actor_type& type, std::uint16_t method) const {
  const auto& called = type.methods()[method];
  if (called.streaming && request.one_way) {
    // Nobody would read the stream, and nobody could ever end it.
    return {status_code::unimplemented,
            type.name() + " " + called.name +
                " streams, and nobody reads the stream of a one-way request; send it without one_way and read its "
                "items"};
  }
  // Shortened without a word, it would end a call whose caller waits on. A stream is its reader's to end.
  if (!called.streaming && request.remaining > limits_.call_deadline_max)
    return {status_code::invalid_argument, over_time_limit_text(request.remaining, limits_.call_deadline_max)};
  return {};
}

steady_time intake::deadline_of(const incoming_request& request, bool streams) const {
  const steady_time now = actors_.on().pass_time();
  if (request.remaining.count() != 0) return time_after(now, request.remaining);
  // A stream lasts until one side ends it.
  return streams ? steady_time::max() : time_after(now, limits_.call_deadline);
}

status intake::take(const incoming_request& request, call_table& calls, reply_sink& origin) {
  metrics_[metric::requests].add();
  if (status wrong = examine(request); !wrong.ok()) return wrong;
  const actor_type* const type = actors_.types().find(request.type);
  if (type == nullptr) return {status_code::not_found, unknown_type_text(actors_.types(), request.type)};
  const auto method = type->find_method(request.method);
  if (!method) return {status_code::unimplemented, unknown_method_text(*type, request.method)};
  if (status wrong = examine_method(request, *type, *method); !wrong.ok()) return wrong;
  message_ptr call = actors_.messages().make(request.key, request.payload, {}, metadata_of(request));
  call->type = type;
  call->method = *method;
  call->hash = hash_of_address(type->id(), request.key);
  call->deadline = deadline_of(request, type->methods()[*method].streaming);
  call->one_way = request.one_way;
  calls.begin(*call, request.id, origin);
  actors_.submit_from_client(std::move(call));
  return {};
}

void intake::cancel(const call_table& calls, std::uint64_t id) {
  if (message* const call = calls.find(id)) actors_.cancel(*call);
}

}  // namespace grove
