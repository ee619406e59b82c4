// SPDX-License-Identifier: Apache-2.0
#pragma once

// The Envelope of proto/grove/v1/wire.proto, read in place and written without intermediate objects.
//
// Problem: every request and every response passes here, and protobuf's own classes would allocate and copy
// type, key, method and payload of each. So the envelope (not the payload in it) is decoded by hand into
// views over the received bytes, and encoded straight into the buffer that goes to the socket.
//
// Invariants:
// - the bytes are exactly protobuf's: whatever one side encodes here, protobuf's classes decode, and the
// reverse;
// - as protobuf has it, of a field that occurs twice the last one counts, and unknown fields are skipped;
// - decoding never reads outside its bytes, never allocates and never throws.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/byte_buffer.h"
#include "base/status.h"

namespace grove::wire {

inline constexpr std::uint32_t protocol_version = 1;
inline constexpr std::uint64_t feature_routing = 1;

enum class body_kind : std::uint8_t {
  none = 0,  ///< No body, or one that this version does not know.
  hello = 1,
  welcome = 2,
  request = 3,
  response = 4,
  item = 5,
  cancel = 6,
  ping = 7,
  pong = 8,
  drain = 9,
  refusal = 10,
};

struct hello_view {
  std::uint32_t version = 0;
  std::uint64_t features = 0;
  std::optional<std::uint32_t> wanted_worker;
  std::string_view client;
};

struct request_view {
  std::uint64_t id = 0;
  std::string_view type;
  std::string_view key;
  std::string_view method;
  std::string_view payload;
  std::uint64_t remaining_microseconds = 0;
  std::string_view idempotency_key;
  std::uint32_t metadata_entries = 0;
  std::string_view metadata;  ///< To encode: entries made by `append_metadata`. Decoding leaves it empty.
  std::string_view body;      ///< The whole encoded request: where `next_metadata` begins.
  bool one_way = false;
};

struct response_view {
  std::uint64_t id = 0;
  status_code code = status_code::ok;
  std::string_view message;
  outcome result = outcome::unspecified;
  std::string_view payload;
};

struct item_view {
  std::uint64_t id = 0;
  std::string_view payload;
};

struct refusal_view {
  status_code code = status_code::unknown;
  std::string_view message;
};

/// One decoded envelope: `kind` says which member counts. A Welcome is rare and left to protobuf's classes.
struct envelope_view {
  body_kind kind = body_kind::none;
  hello_view hello;
  request_view request;
  response_view response;
  item_view item;
  refusal_view refusal;
  std::uint64_t number = 0;  ///< Cancel's id, Ping's and Pong's nonce, Drain's grace.
};

/// Reads one envelope.
/// Errors: false when `bytes` is not a protobuf encoding of an Envelope; `into` is then unspecified.
/// Lifetime: the views in `into` are over `bytes`.
[[nodiscard]] bool decode_envelope(std::string_view bytes, envelope_view& into) noexcept;

/// The next name and value of a request's metadata. `rest` starts as the request's `body` and is moved on.
[[nodiscard]] std::optional<std::pair<std::string_view, std::string_view>> next_metadata(
    std::string_view& rest) noexcept;

/// Appends one entry to a request's encoded metadata.
void append_metadata(std::string& metadata, std::string_view name, std::string_view value);

/// Appends a whole frame, header included.
void append_hello(byte_buffer& out, const hello_view& hello);
void append_request(byte_buffer& out, const request_view& request);
/// Bytes of the envelope that `append_request` makes: what the limit frame_bytes counts.
[[nodiscard]] std::size_t envelope_bytes(const request_view& request) noexcept;
void append_cancel(byte_buffer& out, std::uint64_t id);
void append_ping(byte_buffer& out, std::uint64_t nonce);
void append_pong(byte_buffer& out, std::uint64_t nonce);
void append_drain(byte_buffer& out, std::uint64_t grace_microseconds);
void append_refusal(byte_buffer& out, const refusal_view& refusal);

/// Appends the frame of a response, all but the bytes of its payload, and returns the place where
/// `payload_size` bytes of payload belong. `response.payload` is not looked at.
[[nodiscard]] char* append_response(byte_buffer& out, const response_view& response, std::size_t payload_size);

/// The same for an item.
[[nodiscard]] char* append_item(byte_buffer& out, std::uint64_t id, std::size_t payload_size);

/// Appends a frame around an envelope that is already encoded (a Welcome, by protobuf's classes).
void append_frame(byte_buffer& out, std::string_view envelope);

}  // namespace grove::wire
