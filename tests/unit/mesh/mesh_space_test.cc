// SPDX-License-Identifier: Apache-2.0
// Who can wait for space in a ring asks before it sends, and is woken up by it.

#include <thread>

#include "tests/unit/mesh/mesh_fixture.h"

namespace grove {
namespace {

class mesh_space : public mesh_fixture {
 protected:
  [[nodiscard]] send_readiness readiness(std::size_t bytes) {
    return at(0).net->readiness(1, *at(0).make(0, std::string(bytes, 'x')));
  }
  /// Three of these fit into a ring.
  static constexpr std::size_t large = 20'000;
  void fill() {
    for (std::uint64_t id = 1; readiness(large) == send_readiness::ready; ++id)
      at(0).net->send(1, at(0).make(id, std::string(large, 'x')));
  }
};

TEST_F(mesh_space, is_none_in_a_full_ring_and_again_some_when_it_was_read) {
  fill();
  EXPECT_TRUE(at(0).caller.ends.empty());
  at(0).net->flush();
  at(1).net->poll();
  EXPECT_EQ(at(1).runtime.calls.size(), 3U);
  EXPECT_EQ(readiness(large), send_readiness::ready);
}

TEST_F(mesh_space, is_not_waited_for_where_a_message_is_refused_anyway) {
  EXPECT_EQ(readiness(64 * 1024), send_readiness::refused) << "no ring takes it";
  fill();
  kill(1);
  EXPECT_EQ(readiness(large), send_readiness::refused);
  run();
  EXPECT_EQ(readiness(large), send_readiness::refused);
  start(1);
  run();
  EXPECT_EQ(readiness(large), send_readiness::ready) << "the successor begins with an empty ring";
  at(0).net->close();
  EXPECT_EQ(readiness(large), send_readiness::refused);
}

TEST_F(mesh_space, wakes_a_sleeper_that_was_told_there_was_none) {
  fill();
  ASSERT_TRUE(at(0).net->prepare_sleep());
  EXPECT_FALSE(is_woken(0));
  at(1).net->poll();
  EXPECT_TRUE(is_woken(0));
  at(0).net->woke();
}

TEST_F(mesh_space, that_has_come_is_not_slept_over_and_not_twice) {
  fill();
  at(0).net->flush();
  at(1).net->poll();
  EXPECT_FALSE(at(0).net->prepare_sleep());
  at(0).net->woke();
  at(0).net->poll();
  EXPECT_TRUE(at(0).net->prepare_sleep()) << "whoever waited would have asked again";
  at(0).net->woke();
}

TEST_F(mesh_space, belongs_to_answers_first) {
  for (std::uint64_t i = 0; i < 10; ++i)
    at(1).net->send(0, at(1).make(i, "x"));
  at(1).net->flush();
  at(0).net->poll();
  while (!at(0).runtime.calls.empty())
    at(0).runtime.answer(0, std::string(9000, 'r'));
  EXPECT_EQ(readiness(1), send_readiness::no_space);
  run();
  EXPECT_EQ(at(1).caller.ends.size(), 10U);
  EXPECT_EQ(readiness(1), send_readiness::ready);
}

TEST_F(mesh_space, is_still_given_by_a_draining_worker_to_what_has_waited_for_it) {
  message_ptr call = at(0).make(1);
  call->depth = 0;
  segment_.set_state(1, worker_state::draining);
  EXPECT_EQ(at(0).net->readiness(1, *call), send_readiness::refused);
  call->state = message_state::unsent;
  EXPECT_EQ(at(0).net->readiness(1, *call), send_readiness::ready);
  at(0).net->send(1, std::move(call));
  run();
  EXPECT_EQ(at(1).runtime.calls.size(), 1U);
}

TEST_F(mesh_space, that_is_missing_counts_once_a_call) {
  fill();
  EXPECT_EQ(count(0, metric::mesh_full), 1U);
  const message_ptr call = at(0).make(1, std::string(large, 'x'));
  call->state = message_state::unsent;
  EXPECT_EQ(at(0).net->readiness(1, *call), send_readiness::no_space);
  EXPECT_EQ(count(0, metric::mesh_full), 1U);
}

TEST_F(mesh_space, wakes_its_waiters_between_two_threads_every_time) {
  constexpr std::uint64_t calls = 3'000;
  bool slept_well = false;
  std::thread peer{[&] {
    slept_well = loop(1, [&] {
      while (!at(1).runtime.calls.empty())
        at(1).runtime.answer(0, "small");
      return count(1, metric::mesh_received) < calls;
    });
    at(1).net->flush();
  }};
  std::uint64_t sent = 0;
  const bool ended = loop(0, [&] {
    while (sent < calls) {
      message_ptr call = at(0).make(sent, std::string(large, 'x'));
      call->state = message_state::unsent;
      if (at(0).net->readiness(1, *call) == send_readiness::no_space) break;
      at(0).net->send(1, std::move(call));
      ++sent;
    }
    return at(0).caller.ends.size() < calls;
  });
  peer.join();
  EXPECT_TRUE(ended);
  EXPECT_TRUE(slept_well);
}

}  // namespace
}  // namespace grove
