// SPDX-License-Identifier: Apache-2.0
// What docs/greenlets.md shows of the hub, run.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/hub_fixture.h"
#include "worker/hub/uninterrupted.h"
#include "worker/tasks/pool.h"
#include "worker/tasks/queue.h"
#include "worker/tasks/task.h"
#include "worker/tasks/timeout.h"

namespace grove {
namespace {

using namespace std::chrono_literals;

class hub_tutorial : public hub_fixture {};

TEST_F(hub_tutorial, waits_in_one_greenlet_while_others_run) {
  std::vector<std::string> said;
  auto slow = spawn([&] {
    sleep_for(2s);
    said.emplace_back("slow");
    return 2;
  });
  auto quick = spawn([&] {
    sleep_for(1s);
    said.emplace_back("quick");
    return 1;
  });
  auto sum = spawn([&] { return slow->get() + quick->get(); });
  advance(0s);
  advance(1s);
  advance(1s);
  EXPECT_EQ(said, (std::vector<std::string>{"quick", "slow"}));
  EXPECT_EQ(*sum->value(), 3);
}

TEST_F(hub_tutorial, gives_up_in_time) {
  queue<int> orders(loop);
  auto waiter = spawn([&] { return with_timeout(5s, [&] { return orders.pop(); }); });
  advance(0s);
  advance(5s);
  EXPECT_EQ(*waiter->value(), std::nullopt);
}

TEST_F(hub_tutorial, cleans_up_in_peace) {
  std::vector<std::string> said;
  struct session {
    std::vector<std::string>& into;
    ~session() {
      const uninterrupted whole;
      const bool in_time = with_timeout(5s, [] { sleep_for(1s); });  // says goodbye to somebody far away
      into.emplace_back(in_time ? "said goodbye" : "gave up");
    }
  };
  auto task = spawn([&] {
    const session open{said};
    sleep_for(1h);
  });
  advance(0s);
  task->kill(kill_mode::do_not_wait);
  advance(0s);
  task->kill(kill_mode::do_not_wait);
  advance(1s);
  EXPECT_EQ(said, std::vector<std::string>{"said goodbye"});
  EXPECT_TRUE(task->exited());
}

TEST_F(hub_tutorial, ends_what_others_do) {
  std::vector<std::string> said;
  auto stubborn = spawn([&] {
    try {
      sleep_for(1h);
    } catch (const greenlet_exit&) {
      said.emplace_back("not yet");
    }
    sleep_for(1h);
    said.emplace_back("never");
  });
  auto killer = spawn([&] {
    stubborn->kill(kill_mode::do_not_wait);
    yield();
    stubborn->kill();  // waits for the end
    said.emplace_back("ended");
  });
  advance(0s);
  EXPECT_EQ(said, (std::vector<std::string>{"not yet", "ended"}));
  EXPECT_TRUE(stubborn->exited());
}

TEST_F(hub_tutorial, has_at_most_two_at_work) {
  int working = 0;
  int most = 0;
  auto all = spawn([&] {
    pool workers(2);
    for (int i = 0; i < 6; ++i)
      workers.spawn([&] {
        most = std::max(most, ++working);
        sleep_for(1s);
        --working;
      });
    workers.join();
  });
  for (int second = 0; second < 4; ++second)
    advance(1s);
  EXPECT_TRUE(all->ready());
  EXPECT_EQ(most, 2);
}

}  // namespace
}  // namespace grove
