// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <cstring>

#include "proto/wire/envelope.h"
#include "proto/wire/frame.h"

namespace grove::wire {
namespace {

// Tags of field numbers below 16: one byte each.
constexpr unsigned char varint_tag(unsigned number) noexcept {
  return static_cast<unsigned char>(number << 3U);
}
constexpr unsigned char bytes_tag(unsigned number) noexcept {
  return static_cast<unsigned char>(number << 3U | 2U);
}

[[nodiscard]] constexpr std::size_t varint_size(std::uint64_t value) noexcept {
  return (static_cast<std::size_t>(std::bit_width(value | 1U)) + 6) / 7;
}

/// The encoded size of a field that is left out at its default.
[[nodiscard]] std::size_t size_of(std::uint64_t value) noexcept {
  return value == 0 ? 0 : 1 + varint_size(value);
}
[[nodiscard]] std::size_t size_of(std::string_view bytes) noexcept {
  return bytes.empty() ? 0 : 1 + varint_size(bytes.size()) + bytes.size();
}

class writer {
 public:
  explicit writer(char* place) noexcept : at_{place} {}

  [[nodiscard]] char* place() const noexcept { return at_; }

  void byte(unsigned char value) noexcept { *at_++ = static_cast<char>(value); }
  void varint(std::uint64_t value) noexcept {
    while (value >= 0x80U) {
      byte(static_cast<unsigned char>(value | 0x80U));
      value >>= 7U;
    }
    byte(static_cast<unsigned char>(value));
  }
  void field(unsigned number, std::uint64_t value) noexcept {
    if (value == 0) return;
    byte(varint_tag(number));
    varint(value);
  }
  void field(unsigned number, std::string_view bytes) noexcept {
    if (bytes.empty()) return;
    header(number, bytes.size());
    encoded(bytes);
  }
  /// What is encoded already, fields and all.
  void encoded(std::string_view bytes) noexcept {
    if (bytes.empty()) return;
    std::memcpy(at_, bytes.data(), bytes.size());
    at_ += bytes.size();
  }
  /// The tag and the length of a delimited field.
  void header(unsigned number, std::size_t size) noexcept {
    byte(bytes_tag(number));
    varint(size);
  }

 private:
  char* at_;
};

/// Makes room for a frame whose envelope has one body of `body_size` bytes, and writes everything before that
/// body.
[[nodiscard]] writer begin(byte_buffer& out, body_kind kind, std::size_t body_size) {
  const std::size_t envelope_size = 1 + varint_size(body_size) + body_size;
  char* place = out.extend(frame_header_bytes + envelope_size);
  write_frame_header(place, envelope_size);
  writer w{place + frame_header_bytes};
  w.header(static_cast<unsigned>(kind), body_size);
  return w;
}

[[nodiscard]] std::size_t body_bytes(const request_view& r) noexcept {
  return size_of(r.id) + size_of(r.type) + size_of(r.key) + size_of(r.method) + size_of(r.payload) +
         size_of(r.remaining_microseconds) + size_of(r.idempotency_key) + r.metadata.size() +
         size_of(std::uint64_t{r.one_way});
}

void append_number(byte_buffer& out, body_kind kind, std::uint64_t number) {
  begin(out, kind, size_of(number)).field(1, number);
}

}  // namespace

void append_hello(byte_buffer& out, const hello_view& hello) {
  const std::size_t wanted = hello.wanted_worker ? 1 + varint_size(*hello.wanted_worker) : 0;
  writer w = begin(out, body_kind::hello,
                   size_of(std::uint64_t{hello.version}) + size_of(hello.features) + wanted + size_of(hello.client));
  w.field(1, hello.version);
  w.field(2, hello.features);
  if (hello.wanted_worker) {
    w.byte(varint_tag(3));
    w.varint(*hello.wanted_worker);
  }
  w.field(4, hello.client);
}

void append_metadata(std::string& metadata, std::string_view name, std::string_view value) {
  const std::size_t entry = size_of(name) + size_of(value);
  const std::size_t before = metadata.size();
  metadata.resize(before + 1 + varint_size(entry) + entry);
  writer w{metadata.data() + before};
  w.header(8, entry);
  w.field(1, name);
  w.field(2, value);
}

std::size_t envelope_bytes(const request_view& request) noexcept {
  const std::size_t body = body_bytes(request);
  return 1 + varint_size(body) + body;
}

void append_request(byte_buffer& out, const request_view& r) {
  writer w = begin(out, body_kind::request, body_bytes(r));
  w.field(1, r.id);
  w.field(2, r.type);
  w.field(3, r.key);
  w.field(4, r.method);
  w.field(5, r.payload);
  w.field(6, r.remaining_microseconds);
  w.field(7, r.idempotency_key);
  w.encoded(r.metadata);
  w.field(9, std::uint64_t{r.one_way});
}

void append_cancel(byte_buffer& out, std::uint64_t id) {
  append_number(out, body_kind::cancel, id);
}
void append_ping(byte_buffer& out, std::uint64_t nonce) {
  append_number(out, body_kind::ping, nonce);
}
void append_pong(byte_buffer& out, std::uint64_t nonce) {
  append_number(out, body_kind::pong, nonce);
}
void append_drain(byte_buffer& out, std::uint64_t grace_microseconds) {
  append_number(out, body_kind::drain, grace_microseconds);
}

void append_refusal(byte_buffer& out, const refusal_view& refusal) {
  const auto code = static_cast<std::uint64_t>(refusal.code);
  writer w = begin(out, body_kind::refusal, size_of(code) + size_of(refusal.message));
  w.field(1, code);
  w.field(2, refusal.message);
}

char* append_response(byte_buffer& out, const response_view& response, std::size_t payload_size) {
  const auto code = static_cast<std::uint64_t>(response.code);
  const auto result = static_cast<std::uint64_t>(response.result);
  const std::size_t payload = payload_size == 0 ? 0 : 1 + varint_size(payload_size) + payload_size;
  writer w = begin(out, body_kind::response,
                   size_of(response.id) + size_of(code) + size_of(response.message) + size_of(result) + payload);
  w.field(1, response.id);
  w.field(2, code);
  w.field(3, response.message);
  w.field(4, result);
  if (payload_size != 0) w.header(5, payload_size);
  return w.place();
}

char* append_item(byte_buffer& out, std::uint64_t id, std::size_t payload_size) {
  const std::size_t payload = payload_size == 0 ? 0 : 1 + varint_size(payload_size) + payload_size;
  writer w = begin(out, body_kind::item, size_of(id) + payload);
  w.field(1, id);
  if (payload_size != 0) w.header(2, payload_size);
  return w.place();
}

void append_frame(byte_buffer& out, std::string_view envelope) {
  char* place = out.extend(frame_header_bytes + envelope.size());
  write_frame_header(place, envelope.size());
  std::memcpy(place + frame_header_bytes, envelope.data(), envelope.size());
}

}  // namespace grove::wire
