// SPDX-License-Identifier: Apache-2.0
// The bytes are a stream as a client might send it, frame after frame. Whatever they are, the decoder stays inside them;
// and what it accepts as a request is what protobuf's own classes read.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "grove/v1/wire.pb.h"
#include "proto/wire/envelope.h"
#include "proto/wire/frame.h"

namespace {

using namespace grove;

constexpr std::size_t frame_bytes_max = 2048;

void compare_with_protobuf(std::string_view bytes, const wire::request_view& read) {
  v1::Envelope reference;
  // protobuf also insists on UTF-8 in strings, which the decoder leaves to whoever uses them.
  if (!reference.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) || !reference.has_request()) return;
  GROVE_CHECK(read.id == reference.request().id());
  GROVE_CHECK(read.type == reference.request().type());
  GROVE_CHECK(read.key == reference.request().key());
  GROVE_CHECK(read.method == reference.request().method());
  GROVE_CHECK(read.payload == reference.request().payload());
  GROVE_CHECK(read.remaining_microseconds == reference.request().remaining_microseconds());
  GROVE_CHECK(read.one_way == reference.request().one_way());
}

void check_envelope(std::string_view bytes) {
  wire::envelope_view view;
  if (!wire::decode_envelope(bytes, view) || view.kind != wire::body_kind::request) return;
  std::string_view rest = view.request.body;
  std::uint32_t entries = 0;
  while (wire::next_metadata(rest))
    ++entries;
  GROVE_CHECK(entries <= view.request.metadata_entries);
  compare_with_protobuf(bytes, view.request);

  // What was read and is written again reads the same.
  byte_buffer out;
  wire::append_request(out, view.request);
  wire::envelope_view again;
  GROVE_CHECK(wire::decode_envelope(wire::first_frame(out.view(), out.size()).envelope, again));
  GROVE_CHECK(again.request.key == view.request.key);
  GROVE_CHECK(again.request.payload == view.request.payload);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view stream{reinterpret_cast<const char*>(data), size};
  for (;;) {
    const wire::frame_view frame = wire::first_frame(stream, frame_bytes_max);
    if (frame.state != wire::frame_state::complete) break;
    GROVE_CHECK(frame.consumed <= stream.size());
    check_envelope(frame.envelope);
    stream.remove_prefix(frame.consumed);
  }
  return 0;
}
