// SPDX-License-Identifier: Apache-2.0

#include <thread>

#include "tests/unit/mesh/mesh_fixture.h"

namespace grove {
namespace {

class mesh_wake : public mesh_fixture {};

TEST_F(mesh_wake, no_system_call_while_the_reader_is_awake) {
  at(0).net->send(1, at(0).make(1));
  at(0).net->flush();
  EXPECT_FALSE(is_woken(1));
  EXPECT_EQ(count(0, metric::wakeups), 0U);
  run();
}

TEST_F(mesh_wake, sleeping_reader_is_woken_once_a_sleep) {
  ASSERT_TRUE(at(1).net->prepare_sleep());
  for (std::uint64_t i = 0; i < 3; ++i) {
    at(0).net->send(1, at(0).make(i));
    at(0).net->flush();
  }
  EXPECT_EQ(count(0, metric::wakeups), 1U);
  EXPECT_TRUE(is_woken(1));
  at(1).net->woke();
  run();
  EXPECT_EQ(at(1).runtime.calls.size(), 3U);
  ASSERT_TRUE(at(1).net->prepare_sleep());
  at(0).net->send(1, at(0).make(4));
  at(0).net->flush();
  EXPECT_EQ(count(0, metric::wakeups), 2U);
  wakes_->clear(1);
  EXPECT_FALSE(is_woken(1)) << "clear has emptied it";
  at(1).net->woke();
}

TEST_F(mesh_wake, does_not_sleep_over_what_has_been_published) {
  at(0).net->send(1, at(0).make(1));
  at(0).net->flush();
  EXPECT_FALSE(at(1).net->prepare_sleep());
  at(1).net->woke();
  run();
  EXPECT_TRUE(at(1).net->prepare_sleep());
  at(1).net->woke();
}

TEST_F(mesh_wake, does_not_sleep_over_a_change_of_the_table) {
  segment_.set_state(1, worker_state::down);
  EXPECT_FALSE(at(0).net->prepare_sleep());
  at(0).net->woke();
}

TEST_F(mesh_wake, publishes_before_it_sleeps) {
  at(0).net->send(1, at(0).make(1));
  EXPECT_TRUE(at(0).net->prepare_sleep());
  at(0).net->woke();
  EXPECT_TRUE(at(1).net->poll());
  EXPECT_EQ(at(1).runtime.calls.size(), 1U);
}

TEST_F(mesh_wake, sleeper_with_answers_waiting_is_woken_by_room) {
  for (std::uint64_t i = 0; i < 20; ++i) {
    at(0).net->send(1, at(0).make(i, "x"));
  }
  at(0).net->flush();
  at(1).net->poll();
  while (!at(1).runtime.calls.empty()) {
    at(1).runtime.answer(0, std::string(9000, 'x'));
  }
  ASSERT_TRUE(at(1).net->prepare_sleep());
  EXPECT_FALSE(is_woken(1));
  at(0).net->poll();
  EXPECT_TRUE(is_woken(1));
  at(1).net->woke();
  run();
  EXPECT_EQ(at(0).caller.ends.size(), 20U);
}

TEST_F(mesh_wake, successor_of_a_worker_that_died_asleep_is_awake) {
  ASSERT_TRUE(at(1).net->prepare_sleep());
  kill(1);
  start(1);
  EXPECT_EQ(segment_.slot(1).asleep.load() % 2, 0U);
}

TEST_F(mesh_wake, no_wake_up_is_lost_between_two_threads) {
  constexpr std::uint64_t calls = 5'000;
  spdlog::logger quiet{"thread"};
  std::uint64_t served = 0;
  at(1).runtime.answer_all = true;
  bool slept_well = false;
  std::thread peer{[&] {
    slept_well = loop(1, [&] {
      served = segment_.slot(1).metrics[metric::mesh_received].get();
      return served < calls;
    });
    at(1).net->flush();
  }};
  std::uint64_t sent = 0;
  const bool ended = loop(0, [&] {
    const std::uint64_t got = at(0).caller.ends.size();
    // One at a time, so that both sides fall asleep again and again; now and then several.
    while (sent < calls && sent - got < 1 + sent % 3) {
      at(0).net->send(1, at(0).make(sent++));
    }
    return got < calls;
  });
  peer.join();
  EXPECT_TRUE(ended);
  EXPECT_TRUE(slept_well);
  EXPECT_EQ(served, calls);
}

}  // namespace
}  // namespace grove
