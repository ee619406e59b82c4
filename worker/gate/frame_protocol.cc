// SPDX-License-Identifier: Apache-2.0
#include "worker/gate/frame_protocol.h"

#include <algorithm>

#include "base/limit_text.h"
#include "base/text.h"
#include "base/version.h"
#include "grove/v1/wire.pb.h"
#include "worker/gate/connection.h"
#include "worker/gate/topology.h"

namespace grove {
namespace {

/// What a request says of its time, held at what a duration can say.
[[nodiscard]] std::chrono::microseconds time_of(std::uint64_t asked) {
  constexpr auto most = static_cast<std::uint64_t>(std::chrono::microseconds::max().count());
  return std::chrono::microseconds{static_cast<std::int64_t>(std::min(asked, most))};
}

[[nodiscard]] std::uint64_t microseconds_of(std::chrono::microseconds time) {
  return static_cast<std::uint64_t>(time.count());
}

std::string version_text(std::uint32_t version) {
  return "protocol version " + std::to_string(version) + " is not supported; this server speaks version " +
         std::to_string(wire::protocol_version);
}

void announce(v1::Limits& announced, const limits& of) {
  announced.set_frame_bytes(of.frame_bytes_max);
  announced.set_nesting(of.nesting_max);
  announced.set_key_bytes(of.key_bytes_max);
  announced.set_type_bytes(of.type_bytes_max);
  announced.set_method_bytes(of.method_bytes_max);
  announced.set_metadata_entries(of.metadata_entries_max);
  announced.set_unfinished_calls(of.unfinished_calls_max);
  announced.set_call_microseconds(microseconds_of(of.call_deadline));
  announced.set_call_microseconds_max(microseconds_of(of.call_deadline_max));
}

}  // namespace

std::unique_ptr<protocol> frame_protocol_factory::make(gate_connection& connection) {
  return std::make_unique<frame_protocol>(connection, *this);
}

void frame_protocol_factory::append_refusal(byte_buffer& out, status_code code, std::string_view text) const {
  wire::append_refusal(out, {.code = code, .message = text});
}

// --- In ---

std::size_t frame_protocol::take(byte_buffer& in) {
  std::size_t frames = 0;
  while (connection_.takes_another()) {
    const wire::frame_view frame = wire::first_frame(in.view(), frame_bytes_max());
    if (frame.state == wire::frame_state::incomplete) break;
    if (frame.state != wire::frame_state::complete) {
      refuse_frame(frame);
      break;
    }
    if (!handle(frame.envelope)) break;
    if (!connection_.takes_input()) break;  // A refusal has thrown the input away.
    in.consume(frame.consumed);
    ++frames;
    connection_.took_one();
  }
  return frames;
}

void frame_protocol::refuse_frame(const wire::frame_view& frame) {
  if (frame.state == wire::frame_state::empty) {
    refuse(status_code::invalid_argument, "a frame of length 0; every frame carries an Envelope");
  } else {
    refuse(status_code::resource_exhausted, "a frame of " + std::to_string(frame.length) + " bytes; " +
                                                limit_text("frame_bytes", frame_bytes_max()) +
                                                (greeted_ ? "" : " (is this a client of the Grove protocol?)"));
  }
}

bool frame_protocol::handle(std::string_view envelope) {
  wire::envelope_view& view = shared_.decoded();
  if (!wire::decode_envelope(envelope, view)) {
    refuse(status_code::invalid_argument, "a frame whose bytes are no Envelope");
    return true;
  }
  if (!greeted_) {
    if (view.kind == wire::body_kind::hello) {
      handle_hello(view.hello);
    } else {
      refuse(status_code::failed_precondition, "the first frame must be a Hello");
    }
    return true;
  }
  switch (view.kind) {
    case wire::body_kind::request:
      if (!connection_.takes_request()) return false;
      handle_request(view.request);
      break;
    case wire::body_kind::cancel:
      connection_.owner().requests().cancel(connection_.calls(), view.number);
      break;
    case wire::body_kind::ping:
      wire::append_pong(connection_.out(), view.number);
      break;
    case wire::body_kind::pong:
      break;
    case wire::body_kind::none:
      break;  // From a newer client, which expects nothing of it.
    default:
      refuse(status_code::invalid_argument, "a frame that only a server sends, or a second Hello");
      break;
  }
  return true;
}

void frame_protocol::handle_request(const wire::request_view& request) {
  const status taken = connection_.owner().requests().take(
      {.id = request.id,
       .type = request.type,
       .key = request.key,
       .method = request.method,
       .payload = request.payload,
       .remaining = time_of(request.remaining_microseconds),
       .idempotency_key = request.idempotency_key,
       .metadata = {.encoded = request.body, .next = wire::next_metadata, .entries = request.metadata_entries},
       .one_way = request.one_way},
      connection_.calls(), *this);
  if (taken.ok()) [[likely]]
    return;
  respond(request.id, {.code = taken.code(), .result = outcome::not_executed, .text = taken.message(), .payload = {}});
}

void frame_protocol::handle_hello(const wire::hello_view& hello) {
  if (hello.version != wire::protocol_version) {
    refuse(status_code::unimplemented, version_text(hello.version));
    return;
  }
  const topology& around = connection_.owner().around();
  if (hello.wanted_worker && *hello.wanted_worker >= around.workers()) {
    refuse(status_code::invalid_argument, "wanted_worker is " + std::to_string(*hello.wanted_worker) +
                                              "; this server has the workers 0 to " +
                                              std::to_string(around.workers() - 1));
    return;
  }
  // One that was passed already stays whatever it asks for: it could be passed in a circle.
  const bool elsewhere = hello.wanted_worker && *hello.wanted_worker != around.own_slot() &&
                         connection_.origin() != connection_origin::passed;
  if (elsewhere && connection_.pass_to(*hello.wanted_worker)) return;
  greeted_ = true;
  connection_.opened();
  wire::append_frame(connection_.out(), welcome_envelope((hello.features & wire::feature_routing) != 0));
  if (connection_.owner().draining()) wire::append_drain(connection_.out(), 0);
}

std::string frame_protocol::welcome_envelope(bool with_owners) const {
  const topology& around = connection_.owner().around();
  v1::Envelope envelope;
  v1::Welcome& welcome = *envelope.mutable_welcome();
  welcome.set_version(wire::protocol_version);
  welcome.set_features(v1::FEATURE_ROUTING);
  welcome.set_worker(around.own_slot());
  welcome.set_workers(around.workers());
  welcome.set_server(std::string{"grove "}.append(version));
  announce(*welcome.mutable_limits(), connection_.owner().limits());
  if (with_owners) {
    for (std::uint32_t p = 0; p < around.partitions(); ++p)
      welcome.add_owners(around.owner_of_partition(p));
  }
  return envelope.SerializeAsString();
}

// --- Out ---

void frame_protocol::refuse(status_code code, std::string_view text) {
  wire::append_refusal(connection_.out(), {.code = code, .message = text});
  connection_.end_refused();
}

void frame_protocol::refuse_late(late_input what, std::chrono::milliseconds within) {
  const std::string time = std::to_string(within.count()) + " ms";
  if (what == late_input::opening) {
    refuse(status_code::deadline_exceeded, "no complete first frame within " + time + " (limits.first-frame-within)");
  } else {
    refuse(status_code::deadline_exceeded, "a frame that was not complete within " + time + " (limits.frame-within)");
  }
}

void frame_protocol::announce_drain(std::chrono::milliseconds grace) {
  wire::append_drain(connection_.out(), microseconds_of(grace));
}

void frame_protocol::probe() {
  wire::append_ping(connection_.out(), 0);
}

void frame_protocol::finish(message& call, const reply& end) {
  const std::uint64_t id = call.origin_id;
  respond(id, connection_.end_call(call, end));
}

void frame_protocol::respond(std::uint64_t id, const reply& end) {
  if (!is_utf8(end.text)) [[unlikely]] {
    // What a handler throws may have any bytes in it, and a client would lose the whole response for them.
    const std::string text = utf8_text(end.text);
    respond(id, {.code = end.code, .result = end.result, .text = text, .payload = end.payload});
    return;
  }
  byte_buffer& out = connection_.out();
  const std::size_t start = out.size();
  char* const place = wire::append_response(
      out, {.id = id, .code = end.code, .message = end.text, .result = end.result, .payload = {}}, end.payload.size());
  if (const std::size_t bytes = envelope_bytes_since(start); bytes <= frame_bytes_max()) [[likely]] {
    end.payload.write(place);
    connection_.owner().count_response(end.code, end.result);
  } else {
    out.truncate(start);
    respond_too_large(id, end.result, bytes);
  }
  connection_.appended();
}

void frame_protocol::respond_too_large(std::uint64_t id, outcome result, std::size_t bytes) {
  const std::string text = over_limit_text("the response", bytes, "frame_bytes", frame_bytes_max());
  const wire::response_view instead{
      .id = id, .code = status_code::resource_exhausted, .message = text, .result = result, .payload = {}};
  (void)wire::append_response(connection_.out(), instead, 0);
  connection_.owner().count_response(instead.code, instead.result);
}

void frame_protocol::item(message& call, const payload_source& payload) {
  const std::uint64_t id = call.origin_id;
  byte_buffer& out = connection_.out();
  const std::size_t start = out.size();
  char* const place = wire::append_item(out, id, payload.size());
  const std::size_t bytes = envelope_bytes_since(start);
  if (bytes <= frame_bytes_max()) {
    payload.write(place);
    connection_.appended();
    return;
  }
  out.truncate(start);
  const std::string text = over_limit_text("an item", bytes, "frame_bytes", frame_bytes_max());
  respond(id, connection_.end_call(
                  call,
                  {.code = status_code::resource_exhausted, .result = outcome::executed, .text = text, .payload = {}}));
}

std::size_t frame_protocol::backlog_bytes(const message&) const {
  return connection_.backlog_bytes();
}

void frame_protocol::held_up(message& call) {
  connection_.held_up(call);
}

void frame_protocol::goes_on(message& call) {
  connection_.goes_on(call);
}

std::uint32_t frame_protocol::frame_bytes_max() const noexcept {
  return connection_.owner().limits().frame_bytes_max;
}

std::size_t frame_protocol::envelope_bytes_since(std::size_t start) const noexcept {
  return connection_.out().size() - start - wire::frame_header_bytes;
}

}  // namespace grove
