// SPDX-License-Identifier: Apache-2.0
// How long a connection may take: for its first frame, for any other one, and to read what waits for it.
#include "tests/unit/gate/gate_fixture.h"

namespace grove::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

using time_limit = gate_test;

TEST_F(time_limit, first_frame_just_in_time_is_welcomed) {
  const auto client = connect();
  client->send_bytes(bytes_of_frame(hello()).substr(0, 3));
  advance(milliseconds{4'999});
  EXPECT_TRUE(client->receive().empty());
  client->send_bytes(bytes_of_frame(hello()).substr(3));
  run();
  const auto got = client->receive();
  ASSERT_EQ(got.size(), 1U);
  EXPECT_TRUE(got.front().has_welcome());
}

TEST_F(time_limit, first_frame_that_is_late_is_refused) {
  const auto client = connect();
  client->send_bytes(bytes_of_frame(hello()).substr(0, 3));
  advance(seconds{5});
  const auto got = client->receive();
  ASSERT_EQ(got.size(), 1U);
  EXPECT_THAT(got.front().refusal().message(), HasSubstr("within 5000 ms"));
  advance(seconds{1});
  client->receive();
  EXPECT_TRUE(client->closed());
}

TEST_F(time_limit, frame_just_in_time_is_answered_and_a_late_one_refused) {
  const auto client = greeted();
  const std::string frame = bytes_of_frame(echo_of(1, 100));
  client->send_bytes(frame.substr(0, 50));
  run();
  advance(milliseconds{29'999});
  client->send_bytes(frame.substr(50));
  run();
  EXPECT_EQ(client->receive().size(), 1U);
  client->send_bytes(frame.substr(0, 50));
  run();
  advance(seconds{30});
  const auto got = client->receive();
  ASSERT_EQ(got.size(), 1U);
  EXPECT_THAT(got.front().refusal().message(), HasSubstr("within 30000 ms"));
}

TEST_F(time_limit, of_a_frame_begins_anew_with_each_frame) {
  const auto client = greeted();
  const std::string frame = bytes_of_frame(echo_of(1, 100));
  client->send_bytes(frame.substr(0, 50));
  run();
  // Never is the server's buffer empty at the end of a read, and each frame takes 20 of its 30 seconds.
  for (int i = 0; i < 4; ++i) {
    advance(seconds{20});
    client->send_bytes(frame.substr(50) + frame.substr(0, 50));
    run();
    const auto got = client->receive();
    ASSERT_EQ(got.size(), 1U);
    EXPECT_TRUE(got.front().has_response()) << got.front().ShortDebugString();
  }
}

class slow_reader : public gate_test {
 protected:
  /// A client that lets more wait than its output buffer may hold.
  std::unique_ptr<gate_client> overfull() {
    bounds.output_buffer_bytes_max = 1;
    auto client = greeted();
    while (!front->has_unsent()) {
      client->send(echo_of(++sent, 60'000));
      run();
    }
    return client;
  }

  std::uint64_t sent = 0;
};

TEST_F(slow_reader, that_reads_in_time_gets_everything) {
  const auto client = overfull();
  advance(milliseconds{9'999});
  std::uint64_t responses = 0;
  while (responses < sent && !client->closed()) {
    responses += client->receive().size();
    run();
  }
  EXPECT_EQ(responses, sent);
  advance(seconds{10});
  EXPECT_EQ(front->connections(), 1U);
}

TEST_F(slow_reader, that_reads_too_late_is_cut_off) {
  const auto client = overfull();
  advance(seconds{10});
  EXPECT_EQ(front->connections(), 0U);
}

}  // namespace
}  // namespace grove::test
