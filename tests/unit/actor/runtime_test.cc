// SPDX-License-Identifier: Apache-2.0
#include "worker/actor/runtime.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/actor/trial_actors.h"
#include "worker/actor/text_pairs.h"

namespace grove::test {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class runtime_of_a_worker : public world {};

/// All stacks but one are taken.
class runtime_without_stacks : public world {
 protected:
  runtime_without_stacks() { thread_stacks().set_count_max(thread_stacks().in_use() + 1); }
  ~runtime_without_stacks() override { thread_stacks().set_count_max(allowed_); }

 private:
  std::size_t allowed_ = thread_stacks().count_max();
};

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

TEST_F(runtime_of_a_worker, refuses_messages_beyond_the_bytes_of_a_mailbox_and_names_the_limit) {
  bounds.mailbox_bytes_max = 200;
  send("trial.Account", "a", "SlowDeposit", amount(10));
  run();
  send_bytes("trial.Account", "a", "Deposit", std::string(100, 'x'));
  const auto at_the_limit = send_bytes("trial.Account", "a", "Deposit", std::string(100, 'x'));
  EXPECT_FALSE(has_ended(at_the_limit));
  const auto one_more = send_bytes("trial.Account", "a", "Deposit", "x");
  EXPECT_EQ(sink.ended[one_more].code, status_code::resource_exhausted);
  EXPECT_EQ(sink.ended[one_more].result, outcome::not_executed);
  EXPECT_THAT(sink.ended[one_more].text, HasSubstr("limits.mailbox-bytes-max 200"));
  advance(10ms);
}

TEST_F(runtime_of_a_worker, runs_turns_between_what_has_come_for_one_actor_at_once) {
  from_outside = true;
  for (std::uint32_t i = 0; i < 3 * bounds.mailbox_messages_max; ++i)
    send("trial.Account", "a", "Deposit", amount(1));
  run();
  for (const auto& [number, end] : sink.ended)
    EXPECT_EQ(end.code, status_code::ok) << number << ": " << end.text;
  EXPECT_EQ(sink.ended.size(), 3U * bounds.mailbox_messages_max);
}

TEST_F(runtime_of_a_worker, runs_turns_between_the_bytes_that_have_come_for_one_actor_at_once) {
  from_outside = true;
  bounds.mailbox_bytes_max = 2'000;
  trial::Amount large = amount(1);
  trial::Amount::GetReflection()->MutableUnknownFields(&large)->AddLengthDelimited(1000, std::string(900, 'x'));
  for (int i = 0; i < 10; ++i) {
    send("trial.Account", "a", "Deposit", amount(1));
    send("trial.Account", "a", "Deposit", large);
  }
  run();
  for (const auto& [number, end] : sink.ended)
    EXPECT_EQ(end.code, status_code::ok) << number << ": " << end.text;
  EXPECT_EQ(sink.ended.size(), 20U);
}

TEST_F(runtime_of_a_worker, keeps_no_more_than_a_mailbox_takes_of_what_comes_behind_a_turn_that_waits) {
  send("trial.Account", "a", "SlowDeposit", amount(10));
  run();
  from_outside = true;
  for (std::uint32_t i = 0; i < bounds.mailbox_messages_max + 2; ++i)
    send("trial.Account", "a", "Deposit", amount(1));
  run();
  EXPECT_EQ(sink.ended.size(), 2U) << "refused";
  advance(10ms);
  EXPECT_EQ(sink.ended.size(), bounds.mailbox_messages_max + 3U);
}

TEST_F(runtime_without_stacks, puts_what_comes_from_outside_into_mailboxes) {
  send("trial.Account", "a", "SlowDeposit", amount(10));
  run();
  from_outside = true;
  for (std::uint32_t i = 0; i < bounds.mailbox_messages_max + 2; ++i)
    send("trial.Account", "b", "Deposit", amount(1));
  run();
  EXPECT_EQ(sink.ended.size(), 2U) << "refused";
  advance(10ms);
  EXPECT_EQ(sink.ended.size(), bounds.mailbox_messages_max + 3U);
}

TEST_F(runtime_of_a_worker, counts_a_calls_chain_as_bytes_of_the_mailbox) {
  constexpr std::uint32_t first = 100;
  const std::size_t chain = text_pair_bytes("trial.Caller", "caller");
  send("trial.Caller", "callee", "SlowVisit", path({}));
  run();
  send_bytes("trial.Caller", "callee", "Visit", std::string(first, 'x'));
  bounds.mailbox_bytes_max = first + static_cast<std::uint32_t>(chain);
  const auto at_the_limit = send("trial.Caller", "caller", "Visit", path({"callee"}));
  run();
  EXPECT_FALSE(has_ended(at_the_limit));
  cancel(at_the_limit);
  run();
  --bounds.mailbox_bytes_max;
  const auto one_more = send("trial.Caller", "caller", "Visit", path({"callee"}));
  run();
  EXPECT_EQ(sink.ended[one_more].code, status_code::resource_exhausted);
  advance(1min);
}

TEST_F(runtime_of_a_worker, reports_tells_that_a_full_mailbox_does_not_take) {
  const trial::Ledger::Ref book{*actors, "book"};
  for (std::uint32_t i = 0; i < bounds.mailbox_messages_max; ++i)
    book.tell_Append(amount(1));
  EXPECT_THAT(recorder.lost, IsEmpty());
  book.tell_Append(amount(1));
  EXPECT_THAT(recorder.lost,
              ElementsAre(AllOf(HasSubstr("trial.Book/book Append"), HasSubstr("limits.mailbox-messages-max"))));
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

TEST_F(runtime_without_stacks, sleeps_until_a_turn_ends) {
  send("trial.Account", "waits", "SlowDeposit", amount(100));
  const auto starved = send("trial.Account", "starved", "Deposit", amount(1));
  run();
  EXPECT_FALSE(loop.poll()) << "nothing is done";
  EXPECT_FALSE(has_ended(starved));
  advance(100ms);
  EXPECT_TRUE(has_ended(starved));
}

TEST_F(runtime_without_stacks, answers_calls_whose_time_is_over) {
  send("trial.Account", "waits", "SlowDeposit", amount(29'900));
  const auto starved = send("trial.Account", "starved", "Deposit", amount(1));
  calls.at(starved)->deadline = time_after(time.now(), 1s);
  run();
  advance(900ms);
  EXPECT_FALSE(has_ended(starved));
  advance(100ms);
  ASSERT_TRUE(has_ended(starved));
  EXPECT_EQ(sink.ended[starved].code, status_code::deadline_exceeded);
  EXPECT_EQ(sink.ended[starved].result, outcome::not_executed);
  advance(29s);
}

TEST_F(runtime_of_a_worker, answers_calls_behind_a_turn_that_waits_when_their_time_is_over) {
  const auto slow = send("trial.Account", "a", "SlowDeposit", amount(1500));
  run();
  time_of_calls = 100ms;
  const auto late = send("trial.Account", "a", "Deposit", amount(1));
  advance(99ms);
  EXPECT_FALSE(has_ended(late));
  advance(1ms);
  ASSERT_TRUE(has_ended(late));
  EXPECT_EQ(sink.ended[late].code, status_code::deadline_exceeded);
  EXPECT_EQ(sink.ended[late].result, outcome::not_executed);
  EXPECT_FALSE(has_ended(slow));
  advance(1400ms);
}

TEST_F(runtime_of_a_worker, answers_calls_that_were_there_before_a_turn_began_to_wait) {
  send("trial.Account", "a", "SlowDeposit", amount(1500));
  time_of_calls = 100ms;
  const auto late = send("trial.Account", "a", "Deposit", amount(1));
  run();
  advance(100ms);
  EXPECT_TRUE(has_ended(late));
  advance(1400ms);
}

TEST_F(runtime_of_a_worker, takes_calls_again_that_are_in_time_when_the_mailbox_was_full_of_others) {
  send("trial.Account", "a", "SlowDeposit", amount(1500));
  run();
  time_of_calls = 100ms;
  for (std::uint32_t i = 0; i < bounds.mailbox_messages_max; ++i)
    send("trial.Account", "a", "Deposit", amount(1));
  advance(100ms);
  const auto one_more = send("trial.Account", "a", "Deposit", amount(1));
  EXPECT_FALSE(has_ended(one_more));
  advance(1400ms);
}

TEST_F(runtime_of_a_worker, takes_a_line_break_in_a_key_for_no_call_cycle) {
  EXPECT_EQ(ask<trial::Visited>("trial.Caller", "x\ntrial.Caller/y", "Visit", path({"b", "y"})).count(), 3U);
}

TEST_F(runtime_of_a_worker, keeps_a_bounded_number_of_idle_stacks) {
  const std::size_t before = thread_stacks().in_use();
  for (std::size_t i = 0; i < turn_fibers::idle_kept_max + 10; ++i)
    send("trial.Account", std::to_string(i), "SlowDeposit", amount(50));
  run();
  EXPECT_EQ(thread_stacks().in_use(), before + turn_fibers::idle_kept_max + 10);
  EXPECT_EQ(actors->idle_stacks(), 0U);
  advance(50ms);
  EXPECT_EQ(actors->idle_stacks(), turn_fibers::idle_kept_max + 10) << "until the next sweep";
  actors->sweep_idle();
  EXPECT_EQ(actors->idle_stacks(), turn_fibers::idle_kept_max);
  EXPECT_EQ(thread_stacks().in_use(), before + turn_fibers::idle_kept_max);
  EXPECT_EQ(ask<trial::Balance>("trial.Account", "0", "Deposit", amount(1)).balance(), 51);
}

}  // namespace
}  // namespace grove::test
