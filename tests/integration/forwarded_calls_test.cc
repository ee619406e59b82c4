// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdint>
#include <set>
#include <string>

#include "grove/v1/builtin.pb.h"
#include "tests/support/requests.h"
#include "tests/support/server_process.h"
#include "tests/support/wire_client.h"

namespace grove::test {
namespace {

/// A request of so many bytes whose answer is small: what a Counter does not know it skips.
std::string large_add(std::size_t bytes) {
  v1::CounterAddRequest add;
  add.set_by(1);
  v1::CounterAddRequest::GetReflection()->MutableUnknownFields(&add)->AddLengthDelimited(1000, std::string(bytes, 'x'));
  return add.SerializeAsString();
}

/// Two workers, of which the second one runs a turn of a second, and a client of the first one with large requests for the
/// second: the ring between them takes four.
class forwarded_calls : public testing::Test {
 protected:
  forwarded_calls() {
    owners = client.greet(0);  // Before worker 1 is busy, which may have accepted the connection.
    send_spins(keeps_busy, keys_of(keeps_busy.greet(1), "grove.Echo", 1, 1).front(), 1);
    server.process().wait_for_line("grove.Echo/");
  }

  /// To so many actors in turn.
  void send(std::size_t count, std::size_t bytes, std::size_t actors) {
    const auto keys = keys_of(owners, "grove.Counter", 1, actors);
    std::string frames;
    for (std::uint64_t id = 1; id <= count; ++id)
      frames += frame_of(request_envelope(id, "grove.Counter", keys[id % actors], "Add", large_add(bytes)));
    client.send_bytes(frames);
  }

  void expect_all_ok(std::size_t count) {
    std::set<std::uint64_t> answered;
    while (answered.size() < count) {
      const v1::Envelope frame = client.next();
      if (!frame.has_response()) continue;
      EXPECT_EQ(frame.response().code(), 0U) << frame.response().message();
      answered.insert(frame.response().id());
    }
  }

  server_process server{{.workers = 2}};
  wire_client keeps_busy{server.address()};
  wire_client client{server.address()};
  v1::Welcome owners;
};

TEST_F(forwarded_calls, of_more_bytes_than_a_ring_takes_wait_for_room_and_all_succeed) {
  send(20, 500'000, 20);
  expect_all_ok(20);
}

TEST_F(forwarded_calls, of_many_bytes_to_one_actor_find_space_in_its_mailbox) {
  send(20, 500'000, 1);
  expect_all_ok(20);
}

TEST_F(forwarded_calls, of_as_many_as_a_connection_may_have_to_one_actor_find_space_in_its_mailbox) {
  send(256, 10, 1);
  expect_all_ok(256);
}

TEST_F(forwarded_calls, that_wait_for_room_are_finished_by_a_drain) {
  send(5, 500'000, 5);
  v1::Envelope ping;
  ping.mutable_ping()->set_nonce(1);
  client.send(ping);
  ASSERT_TRUE(client.next().has_pong()) << "the fifth request has been read, and waits";
  server.process().signal(SIGTERM);
  expect_all_ok(5);
  EXPECT_EQ(server.process().wait().exit.code, 0);
}

}  // namespace
}  // namespace grove::test
