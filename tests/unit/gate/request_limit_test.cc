// SPDX-License-Identifier: Apache-2.0
// What one request and one connection may ask for: at the limit it is taken, one past it is an error that names it.
#include <limits>
#include <utility>

#include "grove/v1/builtin.actor.h"
#include "tests/support/far_workers.h"
#include "tests/unit/gate/gate_fixture.h"
#include "worker/actor/actor_type.h"

namespace grove::test {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;

using request_limit = gate_test;

v1::Envelope get(std::string_view type, std::string_view key, std::string_view method) {
  return request_for(1, type, key, method, v1::CounterGetRequest{});
}

TEST_F(request_limit, key_bytes) {
  const auto client = greeted();
  EXPECT_EQ(response_to(*client, get("grove.Counter", std::string(256, 'k'), "Get")).code(), 0U);
  const v1::Response refused = response_to(*client, get("grove.Counter", std::string(257, 'k'), "Get"));
  EXPECT_EQ(refused.code(), 3U);
  EXPECT_EQ(refused.outcome(), v1::OUTCOME_NOT_EXECUTED);
  EXPECT_THAT(refused.message(), AllOf(HasSubstr("257"), HasSubstr("key_bytes allows 256 (limits.key-bytes-max)")));
}

TEST_F(request_limit, type_bytes) {
  const auto client = greeted();
  EXPECT_EQ(response_to(*client, get(std::string(256, 't'), "k", "Get")).code(), 5U) << "looked up, and not found";
  const v1::Response refused = response_to(*client, get(std::string(257, 't'), "k", "Get"));
  EXPECT_EQ(refused.code(), 3U);
  EXPECT_THAT(refused.message(), AllOf(HasSubstr("257"), HasSubstr("type_bytes allows 256")));
}

TEST_F(request_limit, method_bytes) {
  const auto client = greeted();
  EXPECT_EQ(response_to(*client, get("grove.Counter", "k", std::string(128, 'm'))).code(), 12U) << "looked up";
  const v1::Response refused = response_to(*client, get("grove.Counter", "k", std::string(129, 'm')));
  EXPECT_EQ(refused.code(), 3U);
  EXPECT_THAT(refused.message(), AllOf(HasSubstr("129"), HasSubstr("method_bytes allows 128")));
}

TEST_F(request_limit, call_microseconds_max) {
  const auto client = greeted();
  const auto most = static_cast<std::uint64_t>(std::chrono::microseconds{bounds.call_deadline_max}.count());
  v1::Envelope call = get("grove.Counter", "k", "Get");
  call.mutable_request()->set_remaining_microseconds(most);
  EXPECT_EQ(response_to(*client, call).code(), 0U);
  for (const std::uint64_t more : {most + 1, most * 6, std::numeric_limits<std::uint64_t>::max()}) {
    call.mutable_request()->set_remaining_microseconds(more);
    const v1::Response refused = response_to(*client, call);
    EXPECT_EQ(refused.code(), 3U);
    EXPECT_EQ(refused.outcome(), v1::OUTCOME_NOT_EXECUTED);
    EXPECT_THAT(refused.message(), HasSubstr("call_microseconds_max allows 10m"));
  }
}

TEST_F(request_limit, of_time_is_none_for_a_stream_which_lasts_as_long_as_it_asked_for) {
  const auto client = greeted();
  for (const auto& [id, asked] :
       {std::pair<std::uint64_t, std::uint64_t>{1, 3'600'000'000}, {2, std::numeric_limits<std::uint64_t>::max()}}) {
    v1::Envelope watch = request_for(id, "grove.Topic", "news", "Subscribe", v1::TopicSubscribeRequest{});
    watch.mutable_request()->set_remaining_microseconds(asked);
    EXPECT_TRUE(exchange(*client, watch).empty());
  }
  advance(59min);
  EXPECT_TRUE(client->receive().empty());
  advance(1min);
  const auto ended = client->receive();
  ASSERT_EQ(ended.size(), 1U);
  EXPECT_EQ(ended.front().response().id(), 1U);
  EXPECT_EQ(ended.front().response().code(), 4U);
  EXPECT_EQ(front->unfinished_calls(), 1U) << "for ever";
}

TEST_F(request_limit, connections_max_holds_for_those_that_are_passed_too) {
  bounds.connections_max = 2;
  const auto first = greeted();
  const auto second = connect(bytes_of_frame(hello()));
  EXPECT_TRUE(second->receive().at(0).has_welcome());
  const auto third = connect(bytes_of_frame(hello()));
  const auto got = third->receive();
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got.front().refusal().code(), 8U);
  EXPECT_THAT(got.front().refusal().message(), HasSubstr("limits.connections-max allows (2)"));
  advance(1s);
  EXPECT_TRUE(third->receive().empty() && third->closed());
  EXPECT_EQ(front->connections(), 2U);
}

using unknown_body = gate_test;

/// An Envelope with a body of number 15, which no version has yet.
std::string frame_from_the_future() {
  return {"\0\0\0\3\x7a\1x", 7};
}

TEST_F(unknown_body, is_skipped_after_hello) {
  const auto client = greeted();
  client->send_bytes(frame_from_the_future());
  EXPECT_EQ(response_to(*client, get("grove.Counter", "k", "Get")).code(), 0U);
}

TEST_F(unknown_body, is_refused_before_hello) {
  const auto client = connect();
  client->send_bytes(frame_from_the_future());
  run();
  const auto got = client->receive();
  ASSERT_EQ(got.size(), 1U);
  EXPECT_THAT(got.front().refusal().message(), HasSubstr("Hello"));
}

class MetadataActor final : public v1::Echo::Actor {
 public:
  v1::EchoResponse Echo(const v1::EchoRequest& request) const override {
    v1::EchoResponse response;
    const auto said = metadata(request.text());
    response.set_text(said ? std::string{*said} : "nothing");
    return response;
  }
  v1::EchoSleepResponse Sleep(const v1::EchoSleepRequest&) const override { return {}; }
  v1::EchoSpinResponse Spin(const v1::EchoSpinRequest&) const override { return {}; }
};

class metadata_of_a_request : public gate_test {
 protected:
  metadata_of_a_request() : gate_test{[](actor_types& to) { to.add<MetadataActor>(); }} {}

  std::string told(const std::string& name) {
    v1::EchoRequest asked;
    asked.set_text(name);
    v1::Envelope request = request_for(1, "grove.Echo", "k", "Echo", asked);
    (*request.mutable_request()->mutable_metadata())["tenant"] = "blue";
    (*request.mutable_request()->mutable_metadata())["empty"] = "";
    v1::EchoResponse answer;
    EXPECT_TRUE(answer.ParseFromString(response_to(*client, request).payload()));
    return answer.text();
  }
  std::unique_ptr<gate_client> client = greeted();
};

TEST_F(metadata_of_a_request, is_read_by_the_actor_in_its_turn) {
  EXPECT_EQ(told("tenant"), "blue");
  EXPECT_EQ(told("empty"), "");
  EXPECT_EQ(told("Tenant"), "nothing");
}

TEST_F(request_limit, metadata_entries) {
  const auto client = greeted();
  v1::Envelope request = get("grove.Counter", "k", "Get");
  auto& metadata = *request.mutable_request()->mutable_metadata();
  for (int i = 0; i < 64; ++i)
    metadata["name" + std::to_string(i)] = "value";
  EXPECT_EQ(response_to(*client, request).code(), 0U);
  metadata["one more"] = "value";
  const v1::Response refused = response_to(*client, request);
  EXPECT_EQ(refused.code(), 3U);
  EXPECT_THAT(refused.message(), AllOf(HasSubstr("65 entries"), HasSubstr("metadata_entries allows 64")));
}

TEST_F(request_limit, unfinished_calls_stop_the_reading_and_one_that_ends_resumes_it) {
  bounds.unfinished_calls_max = 4;
  const auto client = greeted();
  for (std::uint64_t id = 1; id <= 4; ++id)
    client->send(sleep_of(id, std::chrono::seconds{id}));
  run();
  EXPECT_EQ(front->unfinished_calls(), 4U);
  EXPECT_TRUE(exchange(*client, echo_of(5, 1)).empty()) << "the fifth is not taken";
  advance(std::chrono::seconds{1});
  const auto got = client->receive();
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[0].response().id(), 1U);
  EXPECT_EQ(got[1].response().id(), 5U);
}

using one_way_request = gate_test;

TEST_F(one_way_request, of_a_streaming_method_is_refused_and_opens_nothing) {
  const auto client = greeted();
  v1::Envelope request = request_for(1, "grove.Topic", "news", "Subscribe", v1::TopicSubscribeRequest{});
  request.mutable_request()->set_one_way(true);
  const v1::Response refused = response_to(*client, request);
  EXPECT_EQ(refused.code(), 12U);
  EXPECT_EQ(refused.outcome(), v1::OUTCOME_NOT_EXECUTED);
  EXPECT_THAT(refused.message(), AllOf(HasSubstr("grove.Topic Subscribe streams"), HasSubstr("without one_way")));
  EXPECT_TRUE(actors->idle()) << "a drain has nothing to wait for";
}

TEST_F(request_limit, cancelled_call_counts_as_unfinished_until_it_is_answered) {
  far_workers far{*actors};
  actors->connect(far, far, 0);
  bounds.unfinished_calls_max = 2;
  const auto client = greeted();
  v1::Envelope cancel;
  cancel.mutable_cancel()->set_id(1);
  for (const v1::Envelope& sent : {echo_of(1, 1), cancel, echo_of(2, 1), echo_of(3, 1)})
    client->send(sent);
  run();
  EXPECT_EQ(far.cancels, 1);
  EXPECT_EQ(far.calls.size(), 2U) << "the third is not taken";
  far.answer(status_code::cancelled);
  run();
  EXPECT_EQ(far.calls.size(), 2U) << "now it is";
  far.answer_all();
  run();
  EXPECT_EQ(client->receive().size(), 3U);
}

TEST_F(request_limit, cancel_behind_too_many_unfinished_calls_waits_until_one_is_answered) {
  bounds.unfinished_calls_max = 1;
  const auto client = greeted();
  v1::Envelope cancel;
  cancel.mutable_cancel()->set_id(1);
  client->send_bytes(bytes_of_frame(sleep_of(1, std::chrono::seconds{1})) + bytes_of_frame(cancel) +
                     bytes_of_frame(echo_of(2, 1)));
  run();
  EXPECT_TRUE(client->receive().empty()) << "neither the cancel nor the second call is read";
  advance(std::chrono::seconds{1});
  const auto got = client->receive();
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[0].response().code(), 0U);
  EXPECT_EQ(got[1].response().id(), 2U);
}

}  // namespace
}  // namespace grove::test
