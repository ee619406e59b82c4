// SPDX-License-Identifier: Apache-2.0
// What a connection does with many frames at once, good ones and others.
#include "tests/unit/gate/gate_fixture.h"

namespace grove::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Lt;

using connection = gate_test;

/// A frame whose only byte is no Envelope.
std::string garbage() {
  return {"\0\0\0\1\xff", 5};
}

TEST_F(connection, that_was_passed_with_garbage_behind_its_hello_is_refused_and_read_to_its_end) {
  const auto client = connect(bytes_of_frame(hello()) + garbage());
  const auto got = client->receive();
  ASSERT_EQ(got.size(), 2U);
  EXPECT_TRUE(got.front().has_welcome());
  EXPECT_THAT(got.back().refusal().message(), HasSubstr("no Envelope"));
  for (int i = 0; i < 10; ++i) {
    client->send_bytes(std::string(10'000, 'x'));
    run();
  }
  advance(1s);
  EXPECT_TRUE(client->receive().empty());
  EXPECT_TRUE(client->closed());
  EXPECT_EQ(response_to(*greeted(), echo_of(1, 1)).code(), 0U) << "others are served";
}

TEST_F(connection, takes_no_more_frames_while_it_has_too_much_to_send) {
  constexpr std::uint64_t requests = 500;
  bounds.output_buffer_bytes_max = 1;
  const auto client = greeted();
  v1::MapSetRequest set;
  set.set_name("a");
  set.set_value(std::string(100'000, 'v'));
  EXPECT_EQ(response_to(*client, request_for(1, "grove.Map", "m", "Set", set)).code(), 0U);
  v1::MapGetRequest get;
  get.set_name("a");
  std::string bytes;
  for (std::uint64_t i = 0; i < requests; ++i)
    bytes += bytes_of_frame(request_for(i, "grove.Map", "m", "Get", get));
  client->send_bytes(bytes);
  run();
  EXPECT_THAT(metrics[metric::requests].get(), Lt(100U)) << "the rest waits for the client to read";
  std::uint64_t answered = 0;
  do {
    run();
    for (const v1::Envelope& frame : client->receive()) {
      EXPECT_EQ(frame.response().id(), answered++);
      EXPECT_EQ(frame.response().code(), 0U);
    }
  } while (loop.poll());
  EXPECT_EQ(answered, requests);
}

/// What a client has received: the ids of responses in their order, and how many items.
struct received {
  std::vector<std::uint64_t> ended;
  std::size_t items = 0;
};

received received_by(gate_client& client) {
  received all;
  for (const v1::Envelope& frame : client.receive()) {
    if (frame.has_response()) {
      EXPECT_EQ(frame.response().code(), 0U) << frame.response().message();
      all.ended.push_back(frame.response().id());
    }
    if (frame.has_item()) ++all.items;
  }
  return all;
}

TEST_F(connection, whose_input_has_ended_is_answered_what_it_asked_and_then_closed) {
  const auto client = greeted();
  client->send(sleep_of(1, 50ms));
  client->send(echo_of(2, 10));
  client->send_bytes(bytes_of_frame(echo_of(3, 10)).substr(0, 7));
  client->end_input();
  run();
  EXPECT_EQ(received_by(*client).ended, (std::vector<std::uint64_t>{2}));
  EXPECT_FALSE(client->closed());
  advance(50ms);
  EXPECT_EQ(received_by(*client).ended, (std::vector<std::uint64_t>{1}));
  EXPECT_TRUE(client->closed());
  EXPECT_EQ(front->connections(), 0U);
}

TEST_F(connection, whose_input_has_ended_has_its_frames_beyond_the_limit_of_calls_answered_too) {
  bounds.unfinished_calls_max = 2;
  const auto client = greeted();
  for (const std::uint64_t id : {1, 2, 3, 4, 5})
    client->send(sleep_of(id, 10ms));
  client->end_input();
  std::vector<std::uint64_t> ended;
  for (int i = 0; i < 5; ++i) {
    advance(10ms);
    for (const std::uint64_t id : received_by(*client).ended)
      ended.push_back(id);
  }
  EXPECT_EQ(ended, (std::vector<std::uint64_t>{1, 2, 3, 4, 5}));
  EXPECT_TRUE(client->closed());
}

TEST_F(connection, whose_input_has_ended_still_gets_its_stream) {
  const auto reader = greeted();
  reader->send(request_for(1, "grove.Topic", "news", "Subscribe", v1::TopicSubscribeRequest{}));
  reader->end_input();
  run();
  const auto writer = greeted();
  v1::TopicPublishRequest publish;
  publish.set_text("one");
  for (const std::uint64_t id : {1, 2})
    EXPECT_EQ(response_to(*writer, request_for(id, "grove.Topic", "news", "Publish", publish)).code(), 0U);
  EXPECT_EQ(received_by(*reader).items, 2U);
  EXPECT_FALSE(reader->closed());
  reader->hang_up();
  run();
  EXPECT_EQ(front->unfinished_calls(), 0U) << "nobody reads any more";
  EXPECT_EQ(front->connections(), 1U);
}

TEST_F(connection, that_is_closed_altogether_has_its_calls_cancelled) {
  const auto client = greeted();
  client->send(sleep_of(1, 10s));
  run();
  EXPECT_EQ(front->unfinished_calls(), 1U);
  client->hang_up();
  run();
  EXPECT_EQ(front->unfinished_calls(), 0U);
  EXPECT_EQ(front->connections(), 0U);
}

TEST_F(connection, whose_input_ends_with_nothing_to_answer_is_closed) {
  const auto client = greeted();
  client->end_input();
  run();
  EXPECT_TRUE(client->receive().empty());
  EXPECT_TRUE(client->closed());
}

}  // namespace
}  // namespace grove::test
