// SPDX-License-Identifier: Apache-2.0
#include "worker/actor/runtime.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/actor/trial_actors.h"

namespace grove::test {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

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

TEST_F(runtime_of_a_worker, reports_tells_that_a_full_mailbox_does_not_take) {
  for (std::uint32_t i = 0; i < bounds.mailbox_messages_max; ++i)
    actors->calls().tell("trial.Book", "book", "Append", amount(1));
  EXPECT_THAT(recorder.lost, IsEmpty());
  actors->calls().tell("trial.Book", "book", "Append", amount(1));
  EXPECT_THAT(recorder.lost, ElementsAre(AllOf(HasSubstr("trial.Book/book Append"), HasSubstr("mailbox_messages"))));
  run();
}

TEST_F(runtime_of_a_worker, reports_tells_whose_time_is_over_before_they_run) {
  send_one_way("trial.Account", "a", "SlowDeposit", amount(40'000));
  send_one_way("trial.Account", "a", "Deposit", amount(1));
  run();
  advance(31s);
  EXPECT_THAT(recorder.lost, ElementsAre(HasSubstr("trial.Account/a Deposit: DEADLINE_EXCEEDED")));
}

TEST_F(runtime_of_a_worker, reports_no_loss_of_a_call_that_its_caller_has_given_up) {
  send("trial.Account", "a", "SlowDeposit", amount(100));
  run();
  const auto given_up = send("trial.Account", "a", "Deposit", amount(1));
  calls.at(given_up)->origin = nullptr;
  cancel(given_up);
  sink.ended[given_up] = {};
  advance(100ms);
  EXPECT_THAT(recorder.lost, IsEmpty());
}

}  // namespace
}  // namespace grove::test
