// SPDX-License-Identifier: Apache-2.0
// A client's request that waits for space on its way to another worker holds up its connection, and nothing else.
#include "tests/support/far_workers.h"
#include "tests/unit/gate/gate_fixture.h"

namespace grove::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

v1::Envelope cancel_of(std::uint64_t id) {
  v1::Envelope cancel;
  cancel.mutable_cancel()->set_id(id);
  return cancel;
}

v1::Envelope ping() {
  v1::Envelope sent;
  sent.mutable_ping()->set_nonce(7);
  return sent;
}

class held_up_request : public gate_test {
 protected:
  held_up_request() {
    actors->connect(far, far, 0);
    far.space[1] = 0;
  }
  ~held_up_request() override {
    far.space.clear();
    run();
    far.answer_all();
    run();
  }

  far_workers far{*actors};
};

TEST_F(held_up_request, keeps_the_next_one_from_being_taken_until_it_goes_on) {
  const auto client = greeted();
  client->send_bytes(bytes_of_frame(echo_of(1, 10)) + bytes_of_frame(echo_of(2, 10)));
  run();
  EXPECT_EQ(front->unfinished_calls(), 1U);
  far.space[1] = 1;
  run();
  EXPECT_THAT(far.keys, ElementsAre("e1"));
  EXPECT_EQ(front->unfinished_calls(), 2U) << "the second one is held up now";
  far.space[1] = 1;
  run();
  EXPECT_THAT(far.keys, ElementsAre("e1", "e2"));
  far.answer_all();
  run();
  EXPECT_EQ(client->receive().size(), 2U);
}

TEST_F(held_up_request, leaves_what_follows_it_in_the_socket) {
  const auto client = greeted();
  const std::string large = bytes_of_frame(echo_of(1, 50'000));
  client->send_bytes(large + large + large);
  run();
  const std::uint64_t read = metrics[metric::bytes_in].get();
  EXPECT_LT(read, large.size() + 70'000) << "not more than one read";
  advance(1s);
  EXPECT_EQ(metrics[metric::bytes_in].get(), read);
  far.space.clear();
  run();
  EXPECT_EQ(far.keys.size(), 3U);
}

TEST_F(held_up_request, holds_up_no_other_connection) {
  const auto client = greeted();
  client->send(echo_of(1, 10));
  run();
  far.place("grove.Echo", "e2", 2);
  far.place("grove.Echo", "e3", 0);
  const auto another = greeted();
  another->send(echo_of(2, 10));
  EXPECT_EQ(exchange(*another, echo_of(3, 10)).size(), 1U) << "that of an actor here is answered";
  EXPECT_THAT(far.keys, ElementsAre("e2"));
}

TEST_F(held_up_request, of_the_connection_that_came_first_goes_first) {
  const auto first = greeted();
  const auto second = greeted();
  first->send(echo_of(1, 10));
  run();
  second->send(echo_of(2, 10));
  run();
  far.space[1] = 1;
  run();
  EXPECT_THAT(far.keys, ElementsAre("e1"));
}

TEST_F(held_up_request, is_cancelled_by_what_is_read_behind_it) {
  const auto client = greeted();
  client->send(echo_of(1, 10));
  run();
  const auto got = exchange(*client, cancel_of(1));
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].response().code(), 1U);
  EXPECT_EQ(got[0].response().outcome(), v1::OUTCOME_NOT_EXECUTED);
  far.space.clear();
  EXPECT_THAT(exchange(*client, echo_of(2, 10)), IsEmpty());
  EXPECT_THAT(far.keys, ElementsAre("e2")) << "the connection goes on";
}

TEST_F(held_up_request, lets_pings_be_answered_also_in_parts) {
  const auto client = greeted();
  client->send(echo_of(1, 10));
  run();
  EXPECT_EQ(exchange(*client, ping()).size(), 1U);
  const std::string frame = bytes_of_frame(ping());
  client->send_bytes(frame.substr(0, 3));
  run();
  client->send_bytes(frame.substr(3));
  run();
  EXPECT_EQ(client->receive().size(), 1U);
}

TEST_F(held_up_request, is_given_up_when_its_client_has_gone) {
  auto client = greeted();
  client->send(echo_of(1, 10));
  run();
  client->hang_up();
  run();
  EXPECT_EQ(front->connections(), 0U);
  EXPECT_EQ(actors->unsent(), 0U);
  EXPECT_EQ(actors->messages().in_use(), 0U);
}

TEST_F(held_up_request, is_given_up_when_its_client_has_gone_and_left_more_than_is_read) {
  auto client = greeted();
  client->send_bytes(bytes_of_frame(echo_of(1, 10)) + bytes_of_frame(echo_of(2, 100'000)));
  run();
  EXPECT_EQ(actors->unsent(), 1U);
  client->hang_up();
  run();
  EXPECT_EQ(front->connections(), 0U);
  EXPECT_EQ(actors->unsent(), 0U);
}

TEST_F(held_up_request, of_a_client_that_sends_nothing_more_is_still_answered) {
  const auto client = greeted();
  client->send(echo_of(1, 10));
  client->end_input();
  run();
  far.space.clear();
  run();
  ASSERT_THAT(far.keys, ElementsAre("e1"));
  far.answer();
  run();
  const auto got = client->receive();
  ASSERT_FALSE(got.empty());
  EXPECT_EQ(got.back().response().id(), 1U);
  EXPECT_TRUE(client->closed());
}

TEST_F(held_up_request, is_answered_when_its_time_is_over_and_the_next_one_is_taken) {
  const auto client = greeted();
  v1::Envelope hasty = echo_of(1, 10);
  hasty.mutable_request()->set_remaining_microseconds(1'000'000);
  client->send_bytes(bytes_of_frame(hasty) + bytes_of_frame(echo_of(2, 10)));
  run();
  advance(1s);
  const auto got = client->receive();
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].response().id(), 1U);
  EXPECT_EQ(got[0].response().code(), 4U);
  EXPECT_EQ(got[0].response().outcome(), v1::OUTCOME_NOT_EXECUTED);
  EXPECT_EQ(actors->unsent(), 1U) << "the second one";
}

TEST_F(held_up_request, is_unavailable_when_its_worker_dies) {
  const auto client = greeted();
  client->send(echo_of(1, 10));
  run();
  far.gone.insert(1);
  run();
  const auto got = client->receive();
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].response().code(), 14U);
  EXPECT_EQ(got[0].response().outcome(), v1::OUTCOME_NOT_EXECUTED);
}

TEST_F(held_up_request, does_not_let_the_frame_behind_it_be_late) {
  bounds.frame_within = 1s;
  const auto client = greeted();
  const std::string large = bytes_of_frame(echo_of(2, 150'000));
  client->send_bytes(bytes_of_frame(echo_of(1, 10)) + large);
  run();
  advance(5s);
  EXPECT_THAT(client->receive(), IsEmpty()) << "it is the server that does not read";
  far.space.clear();
  run();
  EXPECT_THAT(far.keys, ElementsAre("e1", "e2"));
}

TEST_F(held_up_request, is_waited_for_by_a_drain) {
  const auto client = greeted();
  client->send(echo_of(1, 10));
  run();
  bool drained = false;
  front->drain(10s, [&] { drained = true; });
  run();
  EXPECT_FALSE(drained);
  far.space.clear();
  run();
  far.answer_all();
  run();
  EXPECT_TRUE(drained);
}

}  // namespace
}  // namespace grove::test
