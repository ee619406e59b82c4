// SPDX-License-Identifier: Apache-2.0
// protobuf's own classes are the reference: what one side encodes, the other decodes.
#include "proto/wire/envelope.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <string>

#include "base/random.h"
#include "grove/v1/wire.pb.h"
#include "proto/wire/frame.h"

namespace grove::wire {
namespace {

/// The envelope in the one frame of `out`, read by protobuf.
v1::Envelope by_protobuf(const byte_buffer& out) {
  const frame_view frame = first_frame(out.view(), 1U << 24U);
  EXPECT_EQ(frame.state, frame_state::complete);
  EXPECT_EQ(frame.consumed, out.size());
  v1::Envelope envelope;
  EXPECT_TRUE(envelope.ParseFromArray(frame.envelope.data(), static_cast<int>(frame.envelope.size())));
  return envelope;
}

v1::Request every_field_of_a_request() {
  v1::Request request;
  request.set_id(1'000'000'007);
  request.set_type("grove.Counter");
  request.set_key(std::string("a\0b", 3));
  request.set_method("Add");
  request.set_payload(std::string(300, '\xff'));
  request.set_remaining_microseconds(UINT64_MAX);
  request.set_idempotency_key("once");
  request.set_one_way(true);
  return request;
}

TEST(envelope, request_with_every_field_reads_as_protobuf_wrote_it) {
  v1::Envelope written;
  *written.mutable_request() = every_field_of_a_request();
  const std::string bytes = written.SerializeAsString();
  envelope_view read;
  ASSERT_TRUE(decode_envelope(bytes, read));
  EXPECT_EQ(read.kind, body_kind::request);
  EXPECT_EQ(read.request.id, written.request().id());
  EXPECT_EQ(read.request.type, written.request().type());
  EXPECT_EQ(read.request.key, written.request().key());
  EXPECT_EQ(read.request.method, written.request().method());
  EXPECT_EQ(read.request.payload, written.request().payload());
  EXPECT_EQ(read.request.remaining_microseconds, written.request().remaining_microseconds());
  EXPECT_EQ(read.request.idempotency_key, written.request().idempotency_key());
  EXPECT_TRUE(read.request.one_way);
}

TEST(envelope, request_has_as_many_bytes_as_were_announced) {
  const std::string content(20'000, 'x');
  for (const std::size_t payload : {0U, 1U, 100U, 127U, 128U, 16'383U, 16'384U}) {
    for (const std::uint64_t id : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{128}, UINT64_MAX}) {
      request_view request;
      request.id = id;
      request.key = "key";
      request.payload = std::string_view{content}.substr(0, payload);
      request.remaining_microseconds = id;
      request.one_way = id == 1;
      byte_buffer out;
      append_request(out, request);
      EXPECT_EQ(envelope_bytes(request), out.size() - frame_header_bytes);
    }
  }
}

TEST(envelope, request_with_every_field_is_written_as_protobuf_reads_it) {
  const v1::Request wanted = every_field_of_a_request();
  byte_buffer out;
  append_request(out, {.id = wanted.id(),
                       .type = wanted.type(),
                       .key = wanted.key(),
                       .method = wanted.method(),
                       .payload = wanted.payload(),
                       .remaining_microseconds = wanted.remaining_microseconds(),
                       .idempotency_key = wanted.idempotency_key(),
                       .one_way = true});
  EXPECT_EQ(by_protobuf(out).request().SerializeAsString(), wanted.SerializeAsString());
}

TEST(envelope, metadata_is_written_as_protobuf_reads_it) {
  std::string metadata;
  append_metadata(metadata, "tenant", "blue");
  append_metadata(metadata, "empty", "");
  append_metadata(metadata, "long", std::string(300, 'v'));
  byte_buffer out;
  append_request(out, {.id = 1, .metadata = metadata, .one_way = true});
  const v1::Request read = by_protobuf(out).request();
  EXPECT_TRUE(read.one_way());
  EXPECT_EQ((std::map<std::string, std::string>{read.metadata().begin(), read.metadata().end()}),
            (std::map<std::string, std::string>{{"tenant", "blue"}, {"empty", ""}, {"long", std::string(300, 'v')}}));
}

TEST(envelope, empty_request_is_a_request) {
  byte_buffer out;
  append_request(out, {});
  EXPECT_TRUE(by_protobuf(out).has_request());
}

TEST(envelope, response_is_written_around_its_payload) {
  byte_buffer out;
  const std::string payload(5000, 'p');
  char* const place = append_response(
      out, {.id = 7, .code = status_code::not_found, .message = "no such thing", .result = outcome::not_executed},
      payload.size());
  std::memcpy(place, payload.data(), payload.size());
  const v1::Envelope read = by_protobuf(out);
  EXPECT_EQ(read.response().id(), 7U);
  EXPECT_EQ(read.response().code(), 5U);
  EXPECT_EQ(read.response().message(), "no such thing");
  EXPECT_EQ(read.response().outcome(), v1::OUTCOME_NOT_EXECUTED);
  EXPECT_EQ(read.response().payload(), payload);
}

TEST(envelope, response_and_item_read_as_protobuf_wrote_them) {
  v1::Envelope response;
  response.mutable_response()->set_id(9);
  response.mutable_response()->set_code(14);
  response.mutable_response()->set_outcome(v1::OUTCOME_UNKNOWN);
  response.mutable_response()->set_payload("x");
  const std::string response_bytes = response.SerializeAsString();
  envelope_view read;
  ASSERT_TRUE(decode_envelope(response_bytes, read));
  EXPECT_EQ(read.kind, body_kind::response);
  EXPECT_EQ(read.response.code, status_code::unavailable);
  EXPECT_EQ(read.response.result, outcome::unknown);

  v1::Envelope item;
  item.mutable_item()->set_id(3);
  item.mutable_item()->set_payload("element");
  const std::string item_bytes = item.SerializeAsString();
  ASSERT_TRUE(decode_envelope(item_bytes, read));
  EXPECT_EQ(read.kind, body_kind::item);
  EXPECT_EQ(read.item.id, 3U);
  EXPECT_EQ(read.item.payload, "element");
}

TEST(envelope, hello_tells_an_absent_wanted_worker_from_worker_0) {
  byte_buffer any;
  append_hello(any, {.version = 1, .features = 1, .wanted_worker = {}, .client = "c"});
  EXPECT_FALSE(by_protobuf(any).hello().has_wanted_worker());
  byte_buffer zero;
  append_hello(zero, {.version = 1, .features = 1, .wanted_worker = 0, .client = "c"});
  EXPECT_TRUE(by_protobuf(zero).hello().has_wanted_worker());
  envelope_view read;
  ASSERT_TRUE(decode_envelope(first_frame(zero.view(), 100).envelope, read));
  EXPECT_EQ(read.hello.wanted_worker, 0U);
}

TEST(envelope, numbers_travel_in_cancel_ping_pong_and_drain) {
  byte_buffer out;
  append_cancel(out, 1U << 20U);
  EXPECT_EQ(by_protobuf(out).cancel().id(), 1U << 20U);
  out.clear();
  append_ping(out, 5);
  EXPECT_EQ(by_protobuf(out).ping().nonce(), 5U);
  out.clear();
  append_pong(out, 6);
  EXPECT_EQ(by_protobuf(out).pong().nonce(), 6U);
  out.clear();
  append_drain(out, 7);
  EXPECT_EQ(by_protobuf(out).drain().grace_microseconds(), 7U);
}

TEST(envelope, unknown_fields_are_skipped) {
  v1::Envelope known;
  known.mutable_request()->set_id(4);
  known.mutable_request()->GetReflection()->MutableUnknownFields(known.mutable_request())->AddVarint(900, 1);
  known.GetReflection()->MutableUnknownFields(&known)->AddLengthDelimited(77, "from the future");
  known.GetReflection()->MutableUnknownFields(&known)->AddFixed64(78, 1);
  const std::string bytes = known.SerializeAsString();
  envelope_view read;
  ASSERT_TRUE(decode_envelope(bytes, read));
  EXPECT_EQ(read.kind, body_kind::request);
  EXPECT_EQ(read.request.id, 4U);
}

TEST(envelope, last_of_a_repeated_body_counts_and_the_same_body_is_merged) {
  v1::Envelope ping;
  ping.mutable_ping()->set_nonce(1);
  v1::Envelope first;
  first.mutable_request()->set_type("T");
  v1::Envelope second;
  second.mutable_request()->set_key("k");
  const std::string bytes = ping.SerializeAsString() + first.SerializeAsString() + second.SerializeAsString();
  v1::Envelope reference;
  ASSERT_TRUE(reference.ParseFromString(bytes));
  envelope_view read;
  ASSERT_TRUE(decode_envelope(bytes, read));
  EXPECT_EQ(read.kind, body_kind::request);
  EXPECT_EQ(read.request.type, reference.request().type());
  EXPECT_EQ(read.request.key, reference.request().key());
}

TEST(envelope, metadata_is_counted_and_walked_through) {
  v1::Envelope written;
  (*written.mutable_request()->mutable_metadata())["trace"] = "abc";
  (*written.mutable_request()->mutable_metadata())["tenant"] = "";
  const std::string bytes = written.SerializeAsString();
  envelope_view read;
  ASSERT_TRUE(decode_envelope(bytes, read));
  EXPECT_EQ(read.request.metadata_entries, 2U);
  std::string_view rest = read.request.body;
  std::map<std::string, std::string> seen;
  while (const auto entry = next_metadata(rest))
    seen.emplace(entry->first, entry->second);
  EXPECT_EQ(seen, (std::map<std::string, std::string>{{"trace", "abc"}, {"tenant", ""}}));
}

TEST(envelope, cut_short_at_any_byte_never_reads_outside) {
  v1::Envelope written;
  *written.mutable_request() = every_field_of_a_request();
  const std::string bytes = written.SerializeAsString();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::string cut = bytes.substr(0, size);  // Its own allocation, so that a sanitizer sees a read beyond it.
    envelope_view read;
    EXPECT_EQ(decode_envelope(cut, read), size == 0) << size;
  }
}

TEST(envelope, damaged_in_any_way_reads_as_protobuf_reads_it_or_not_at_all) {
  v1::Envelope written;
  *written.mutable_request() = every_field_of_a_request();
  written.mutable_request()->set_payload("short");
  const std::string whole = written.SerializeAsString();
  random_source random{20261123};
  int accepted_by_both = 0;
  for (int round = 0; round < 100'000; ++round) {
    std::string bytes = whole;
    for (std::uint32_t n = 0; n < 1 + random.below(3); ++n) {
      bytes[random.below(static_cast<std::uint32_t>(bytes.size()))] = static_cast<char>(random.below(256));
    }
    envelope_view read;
    v1::Envelope reference;
    if (!decode_envelope(bytes, read) || !reference.ParseFromString(bytes) || !reference.has_request()) continue;
    ++accepted_by_both;
    ASSERT_EQ(read.kind, body_kind::request) << round;
    ASSERT_EQ(read.request.id, reference.request().id()) << round;
    ASSERT_EQ(read.request.type, reference.request().type()) << round;
    ASSERT_EQ(read.request.key, reference.request().key()) << round;
    ASSERT_EQ(read.request.payload, reference.request().payload()) << round;
    ASSERT_EQ(read.request.one_way, reference.request().one_way()) << round;
  }
  EXPECT_GT(accepted_by_both, 10'000);
}

}  // namespace
}  // namespace grove::wire
