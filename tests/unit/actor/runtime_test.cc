// SPDX-License-Identifier: Apache-2.0
#include "worker/actor/runtime.h"

#include <gtest/gtest.h>

#include "tests/unit/actor/trial_actors.h"

namespace grove::test {
namespace {

using namespace std::chrono_literals;

class runtime_of_a_worker : public world {};

TEST_F(runtime_of_a_worker, is_not_idle_while_a_message_waits) {
  EXPECT_TRUE(actors->idle());
  send("trial.Account", "a", "Deposit", amount(1));
  EXPECT_FALSE(actors->idle());
  run();
  EXPECT_TRUE(actors->idle());
}

TEST_F(runtime_of_a_worker, is_not_idle_while_a_turn_waits) {
  send("trial.Account", "a", "SlowDeposit", amount(100));
  run();
  EXPECT_FALSE(actors->idle());
  advance(100ms);
  EXPECT_TRUE(actors->idle());
}

TEST_F(runtime_of_a_worker, is_not_idle_while_a_stream_is_open) {
  const auto watch = send("trial.Account", "a", "Watch", trial::Nothing{});
  run();
  EXPECT_FALSE(actors->idle());
  cancel(watch);
  EXPECT_TRUE(actors->idle());
}

}  // namespace
}  // namespace grove::test
