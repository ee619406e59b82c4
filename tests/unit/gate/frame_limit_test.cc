// SPDX-License-Identifier: Apache-2.0
// No frame is larger than the server has announced, whichever side it comes from.
#include "tests/unit/gate/gate_fixture.h"

namespace grove::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr std::uint32_t frame_bytes = 4096;

class frame_limit : public gate_test {
 protected:
  frame_limit() { bounds.frame_bytes_max = frame_bytes; }

  /// Makes a list whose response has an Envelope of `bytes` bytes, and asks for it.
  v1::Response list_of(gate_client& client, std::size_t bytes) {
    const std::string half(2000, 'v');
    set("a", half);
    set("b", {});
    v1::MapListRequest list;
    const auto ask = request_for(1, "grove.Map", "m", "List", list);
    const std::size_t empty = envelope_bytes(response_to(client, ask));
    // The lengths of a long value take a byte more than those of an empty one, wherever they are nested.
    set("b", std::string(bytes - empty - 200, 'v'));
    const std::size_t nearly = envelope_bytes(response_to(client, ask));
    set("b", std::string(bytes - empty - 200 + (bytes - nearly), 'v'));
    return response_to(client, ask);
  }

  static std::size_t envelope_bytes(const v1::Response& response) {
    v1::Envelope envelope;
    *envelope.mutable_response() = response;
    return envelope.ByteSizeLong();
  }

 private:
  void set(const std::string& name, const std::string& value) {
    v1::MapSetRequest request;
    request.set_name(name);
    request.set_value(value);
    (void)ask<v1::MapSetResponse>("grove.Map", "m", "Set", request);
  }
};

TEST_F(frame_limit, response_at_the_limit_is_sent) {
  const auto client = greeted();
  const v1::Response answer = list_of(*client, frame_bytes);
  EXPECT_EQ(answer.code(), 0U) << answer.message();
  EXPECT_EQ(envelope_bytes(answer), frame_bytes);
}

TEST_F(frame_limit, response_one_byte_past_it_is_an_error_that_names_it) {
  const auto client = greeted();
  const v1::Response answer = list_of(*client, frame_bytes + 1);
  EXPECT_EQ(answer.code(), 8U);
  EXPECT_EQ(answer.outcome(), v1::OUTCOME_EXECUTED);
  EXPECT_THAT(answer.message(), AllOf(HasSubstr("4097"), HasSubstr("frame_bytes allows 4096")));
  EXPECT_EQ(response_to(*client, echo_of(2, 1)).code(), 0U) << "the connection goes on";
}

class stream_limit : public frame_limit {
 protected:
  /// What a subscriber gets of one text, with an Item whose Envelope has `bytes` bytes.
  std::vector<v1::Envelope> published(gate_client& client, std::size_t bytes) {
    EXPECT_TRUE(exchange(client, request_for(1, "grove.Topic", "t", "Subscribe", v1::TopicSubscribeRequest{})).empty());
    v1::Envelope item;
    item.mutable_item()->set_id(1);
    v1::TopicItem inner;
    inner.set_sequence(1);
    inner.set_text(std::string(bytes - 100, 't'));
    item.mutable_item()->set_payload(inner.SerializeAsString());
    publish(bytes - 100 + (bytes - item.ByteSizeLong()));
    return client.receive();
  }
  void publish(std::size_t text_bytes) {
    v1::TopicPublishRequest request;
    request.set_text(std::string(text_bytes, 't'));
    subscribers = ask<v1::TopicPublishResponse>("grove.Topic", "t", "Publish", request).subscribers();
  }

  std::uint32_t subscribers = 0;
};

TEST_F(stream_limit, item_at_the_limit_is_sent) {
  const auto client = greeted();
  const auto got = published(*client, frame_bytes);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_TRUE(got.front().has_item());
  EXPECT_EQ(got.front().ByteSizeLong(), frame_bytes);
}

TEST_F(stream_limit, item_one_byte_past_it_ends_the_stream_with_an_error_that_names_it) {
  const auto client = greeted();
  const auto got = published(*client, frame_bytes + 1);
  ASSERT_EQ(got.size(), 1U);
  ASSERT_TRUE(got.front().has_response());
  EXPECT_EQ(got.front().response().code(), 8U);
  EXPECT_THAT(got.front().response().message(), AllOf(HasSubstr("4097"), HasSubstr("frame_bytes allows 4096")));
  publish(1);
  EXPECT_EQ(subscribers, 0U) << "the actor's end is closed too";
  EXPECT_TRUE(client->receive().empty());
  EXPECT_EQ(front->unfinished_calls(), 0U);
}

TEST_F(frame_limit, request_at_the_limit_is_taken_and_one_byte_more_is_refused) {
  const auto client = greeted();
  v1::Envelope request = echo_of(1, 0);
  request.mutable_request()->mutable_payload()->assign(frame_bytes - 100, '\0');
  const std::size_t more = frame_bytes - request.ByteSizeLong();
  request.mutable_request()->mutable_payload()->assign(frame_bytes - 100 + more, '\0');
  ASSERT_EQ(request.ByteSizeLong(), frame_bytes);
  EXPECT_EQ(response_to(*client, request).code(), 3U) << "zeros are no EchoRequest, but the frame is taken";
  request.mutable_request()->mutable_payload()->push_back('\0');
  const auto got = exchange(*client, request);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_THAT(got.front().refusal().message(), AllOf(HasSubstr("4097"), HasSubstr("frame_bytes allows 4096")));
}

}  // namespace
}  // namespace grove::test
