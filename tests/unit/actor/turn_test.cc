// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/unit/actor/trial_actors.h"

namespace grove::test {
namespace {

using namespace std::chrono_literals;

class turn_of_an_actor : public world {};

TEST_F(turn_of_an_actor, answers_with_the_handlers_result) {
  EXPECT_EQ(ask<trial::Balance>("trial.Account", "a", "Deposit", amount(5)).balance(), 5);
  EXPECT_EQ(ask<trial::Balance>("trial.Account", "a", "Deposit", amount(2)).balance(), 7);
  EXPECT_EQ(ask<trial::Balance>("trial.Account", "b", "Get", {trial::Nothing{}}).balance(), 0);
}

TEST_F(turn_of_an_actor, fails_with_the_code_that_the_handler_throws) {
  const ended_call end = call("trial.Account", "a", "Deposit", amount(-1));
  EXPECT_EQ(end.code, status_code::invalid_argument);
  EXPECT_EQ(end.result, outcome::executed);
  EXPECT_EQ(end.text, "amount must be positive");
}

TEST_F(turn_of_an_actor, that_throws_leaves_state_and_outgoing_messages_as_they_were) {
  call("trial.Account", "a", "Deposit", amount(10));
  EXPECT_EQ(call("trial.Account", "a", "DepositAndFail", amount(90)).code, status_code::failed_precondition);
  EXPECT_EQ(ask<trial::Balance>("trial.Account", "a", "Get", trial::Nothing{}).balance(), 10);
  EXPECT_EQ(ask<trial::Amounts>("trial.Book", "book", "Entries", trial::Nothing{}).amounts_size(), 0);
}

TEST_F(turn_of_an_actor, survives_a_handler_that_throws_no_std_exception) {
  EXPECT_EQ(call("trial.Caller", "a", "ThrowInt", trial::Nothing{}).code, status_code::internal);
  EXPECT_EQ(ask<trial::Visited>("trial.Caller", "a", "Visit", path({})).count(), 1U);
}

TEST_F(turn_of_an_actor, reads_a_request_without_bytes_as_one_without_fields_and_with_nothing_of_the_one_before) {
  call("trial.Book", "book", "Append", amount(5));
  call("trial.Book", "book", "Append", amount(0));
  const auto entries = ask<trial::Amounts>("trial.Book", "book", "Entries", trial::Nothing{});
  ASSERT_EQ(entries.amounts_size(), 2);
  EXPECT_EQ(entries.amounts(1), 0);
}

TEST_F(turn_of_an_actor, refuses_bytes_that_are_not_its_request) {
  const std::uint64_t number = send_bytes("trial.Account", "a", "Deposit", "\xff\xff\xff");
  run();
  EXPECT_EQ(sink.ended[number].code, status_code::invalid_argument);
  EXPECT_EQ(sink.ended[number].result, outcome::not_executed);
  EXPECT_NE(sink.ended[number].text.find("trial.Amount"), std::string::npos) << sink.ended[number].text;
}

TEST_F(turn_of_an_actor, does_not_overlap_with_another_of_the_same_actor) {
  const auto slow = send("trial.Account", "a", "SlowDeposit", amount(100));
  const auto quick = send("trial.Account", "a", "Deposit", amount(1));
  const auto elsewhere = send("trial.Account", "b", "Deposit", amount(1));
  run();
  EXPECT_FALSE(has_ended(slow));
  EXPECT_FALSE(has_ended(quick));
  EXPECT_TRUE(has_ended(elsewhere)) << "a waiting turn holds only its own actor up";
  advance(100ms);
  EXPECT_EQ(sink.order, (std::vector<std::uint64_t>{elsewhere, slow, quick}));
}

TEST_F(turn_of_an_actor, holds_a_stack_only_while_it_waits) {
  const std::size_t before = thread_stacks().in_use();
  for (int i = 0; i < 1000; ++i)
    send("trial.Account", "a" + std::to_string(i), "Deposit", amount(1));
  run();
  EXPECT_LE(thread_stacks().in_use(), before + 1);
  for (int i = 0; i < 100; ++i)
    send("trial.Account", "b" + std::to_string(i), "SlowDeposit", amount(50));
  run();
  EXPECT_GE(thread_stacks().in_use(), before + 100);
  advance(50ms);
  EXPECT_EQ(sink.ended.size(), 1100U);
}

TEST_F(turn_of_an_actor, waits_for_a_stack_when_all_are_in_use) {
  const std::size_t allowed = thread_stacks().count_max();
  thread_stacks().set_count_max(thread_stacks().in_use() + 2);
  for (int i = 0; i < 5; ++i)
    send("trial.Account", "a" + std::to_string(i), "SlowDeposit", amount(10));
  run();
  EXPECT_EQ(actors->turns_running(), 2U);
  for (int round = 0; round < 5; ++round)
    advance(10ms);
  EXPECT_EQ(sink.ended.size(), 5U);
  thread_stacks().set_count_max(allowed);
}

TEST_F(turn_of_an_actor, is_not_begun_after_its_deadline) {
  send("trial.Account", "a", "SlowDeposit", amount(40'000));
  const auto late = send("trial.Account", "a", "Deposit", amount(1));
  run();
  advance(31s);
  EXPECT_EQ(sink.ended[late].code, status_code::deadline_exceeded);
  EXPECT_EQ(sink.ended[late].result, outcome::not_executed);
}

TEST_F(turn_of_an_actor, that_waits_beyond_its_deadline_is_ended_and_undone) {
  const auto slow = send("trial.Account", "a", "SlowDeposit", amount(40'000));
  run();
  advance(31s);
  EXPECT_EQ(sink.ended[slow].code, status_code::deadline_exceeded);
  EXPECT_EQ(sink.ended[slow].result, outcome::unknown);
  EXPECT_EQ(ask<trial::Balance>("trial.Account", "a", "Get", trial::Nothing{}).balance(), 0);
}

TEST_F(turn_of_an_actor, that_is_cancelled_ends_at_its_next_wait) {
  const auto slow = send("trial.Account", "a", "SlowDeposit", amount(100));
  run();
  cancel(slow);
  run();
  EXPECT_EQ(sink.ended[slow].code, status_code::cancelled);
  EXPECT_EQ(ask<trial::Balance>("trial.Account", "a", "Deposit", amount(3)).balance(), 3)
      << "the next turn on the same stack must not be cancelled";
}

TEST_F(turn_of_an_actor, that_is_still_queued_is_cancelled_without_running) {
  send("trial.Account", "a", "SlowDeposit", amount(100));
  run();
  const auto queued = send("trial.Account", "a", "Deposit", amount(1));
  cancel(queued);
  EXPECT_EQ(sink.ended[queued].code, status_code::cancelled);
  EXPECT_EQ(sink.ended[queued].result, outcome::not_executed);
  advance(100ms);
  EXPECT_EQ(ask<trial::Balance>("trial.Account", "a", "Get", trial::Nothing{}).balance(), 100);
}

TEST_F(turn_of_an_actor, refuses_messages_beyond_the_mailbox_limit_and_names_it) {
  send("trial.Account", "a", "SlowDeposit", amount(10));
  run();
  for (std::uint32_t i = 0; i < bounds.mailbox_messages_max; ++i) {
    const auto queued = send("trial.Account", "a", "Deposit", amount(1));
    EXPECT_FALSE(has_ended(queued));
  }
  const auto one_more = send("trial.Account", "a", "Deposit", amount(1));
  EXPECT_EQ(sink.ended[one_more].code, status_code::resource_exhausted);
  EXPECT_EQ(sink.ended[one_more].result, outcome::not_executed);
  EXPECT_NE(sink.ended[one_more].text.find("limits.mailbox-messages-max"), std::string::npos);
  advance(10ms);
  EXPECT_EQ(ask<trial::Balance>("trial.Account", "a", "Get", trial::Nothing{}).balance(), 10 + 128);
}

TEST_F(turn_of_an_actor, of_a_one_way_message_is_announced_when_it_is_in_the_mailbox_and_not_answered) {
  const auto told = send_one_way("trial.Account", "a", "Deposit", amount(-1));
  ASSERT_TRUE(has_ended(told)) << "before its turn";
  EXPECT_EQ(sink.ended[told].code, status_code::ok);
  EXPECT_EQ(sink.ended[told].result, outcome::unknown);
  run();
}

TEST_F(turn_of_an_actor, of_a_one_way_message_that_the_mailbox_cannot_take_is_refused) {
  for (std::uint32_t i = 0; i < bounds.mailbox_messages_max; ++i)
    EXPECT_EQ(sink.ended[send_one_way("trial.Account", "a", "Deposit", amount(1))].code, status_code::ok);
  const auto one_more = send_one_way("trial.Account", "a", "Deposit", amount(1));
  EXPECT_EQ(sink.ended[one_more].code, status_code::resource_exhausted);
  EXPECT_EQ(sink.ended[one_more].result, outcome::not_executed);
  run();
}

TEST_F(turn_of_an_actor, messages_of_one_sender_run_in_the_order_of_sending) {
  for (int i = 1; i <= 100; ++i)
    send("trial.Book", "book", "Append", amount(i));
  const auto entries = ask<trial::Amounts>("trial.Book", "book", "Entries", trial::Nothing{});
  ASSERT_EQ(entries.amounts_size(), 100);
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(entries.amounts(i), i + 1);
}

}  // namespace
}  // namespace grove::test
