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

TEST_F(connection, that_was_handed_over_with_garbage_behind_its_hello_is_refused_and_read_to_its_end) {
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
  std::string frames;
  for (std::uint64_t i = 0; i < requests; ++i)
    frames += bytes_of_frame(request_for(i, "grove.Map", "m", "Get", get));
  client->send_bytes(frames);
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

}  // namespace
}  // namespace grove::test
