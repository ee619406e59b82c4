// SPDX-License-Identifier: Apache-2.0
// What a worker lets out while the changes that it depends on are not durable.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/delayed_store.h"
#include "tests/unit/actor/scripted_actor.h"

namespace grove::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class output_gate : public scripted_world {
 protected:
  output_gate() { actors = std::make_unique<runtime>(loop, types, disk, recorder, bounds); }
  ~output_gate() override {
    disk.complete_all();
    run();
    EXPECT_EQ(actors->messages().in_use(), 0U);
    actors = std::make_unique<runtime>(loop, types, store, recorder, bounds);  // One without this store.
  }

  std::uint64_t deposit(std::string_view key, std::int64_t by = 1) {
    const auto number = send("trial.Account", key, "Deposit", amount(by));
    run();
    return number;
  }
  std::uint64_t get(std::string_view key) {
    const auto number = send("trial.Account", key, "Get", trial::Nothing{});
    run();
    return number;
  }
  std::int64_t balance_in(std::uint64_t number) {
    trial::Balance balance;
    EXPECT_TRUE(balance.ParseFromString(sink.ended.at(number).payload));
    return balance.balance();
  }
  int entries() { return ask<trial::Amounts>("trial.Book", "book", "Entries", trial::Nothing{}).amounts_size(); }

  delayed_store disk;
};

TEST_F(output_gate, holds_the_reply_to_a_change_until_it_is_durable) {
  const auto changed = deposit("a", 5);
  EXPECT_FALSE(has_ended(changed));
  EXPECT_FALSE(actors->idle()) << "a drain waits for it";
  disk.complete_all();
  ASSERT_TRUE(has_ended(changed));
  EXPECT_EQ(balance_in(changed), 5);
}

TEST_F(output_gate, lets_the_reply_of_a_turn_that_changes_nothing_out_at_once) {
  deposit("a");
  EXPECT_TRUE(has_ended(get("b")));
}

TEST_F(output_gate, holds_what_reads_a_change_that_is_not_durable) {
  const auto changed = deposit("a", 5);
  const auto read = get("a");
  EXPECT_FALSE(has_ended(read));
  disk.complete_all();
  EXPECT_EQ(balance_in(read), 5);
  EXPECT_THAT(sink.order, ElementsAre(changed, read));
  EXPECT_TRUE(has_ended(get("a"))) << "of a clean actor a read waits for nothing";
}

TEST_F(output_gate, lets_out_what_each_burst_covers_in_the_order_of_the_turns) {
  const auto first = deposit("a");
  const auto second = deposit("b");
  const auto third = deposit("a");
  disk.complete(2);
  EXPECT_THAT(sink.order, ElementsAre(first, second));
  disk.complete(3);
  EXPECT_THAT(sink.order, ElementsAre(first, second, third));
}

TEST_F(output_gate, keeps_the_order_of_an_actor_that_waits_behind_the_change_of_another) {
  deposit("a");
  const auto later = deposit("b");
  const auto behind = get("a");  // Its own change is covered by the first burst, its place in the line by the second.
  disk.complete(1);
  const auto last = get("a");
  disk.complete(2);
  EXPECT_THAT(sink.order, ElementsAre(1U, later, behind, last));
}

TEST_F(output_gate, holds_the_refusal_of_a_turn_that_has_read_a_change) {
  deposit("a");
  const auto failed = send("trial.Account", "a", "Deposit", amount(-1));
  run();
  EXPECT_FALSE(has_ended(failed));
  disk.complete_all();
  EXPECT_EQ(sink.ended[failed].code, status_code::invalid_argument);
}

TEST_F(output_gate, holds_the_words_of_a_refusal_however_few_they_are) {
  says.turn = [](ScriptedActor& self) { self.state().set_balance(1); };
  send_run();
  run();
  const std::vector<std::string> words{"no", std::string(15, 's'), std::string(16, 'l'), std::string(200, 'x')};
  std::vector<std::uint64_t> refused;
  for (const std::string& each : words) {
    says.turn = [&each](ScriptedActor&) { throw aborted{each}; };
    refused.push_back(send_run());
    run();
  }
  disk.complete_all();
  for (std::size_t i = 0; i < words.size(); ++i)
    EXPECT_EQ(sink.ended[refused[i]].text, words[i]);
}

TEST_F(output_gate, holds_tells_of_a_turn_with_its_change) {
  says.turn = [](ScriptedActor& self) {
    self.state().set_balance(1);
    self.ref<trial::Ledger>("book").tell_Append(amount(7));
  };
  send_run();
  run();
  EXPECT_EQ(entries(), 0);
  disk.complete_all();
  run();
  EXPECT_EQ(entries(), 1);
}

TEST_F(output_gate, holds_items_and_the_end_of_a_stream_with_the_change) {
  const auto watch = send("trial.Account", "a", "Watch", trial::Nothing{});
  run();
  EXPECT_EQ(sink.items[watch].size(), 1U);
  deposit("a");
  EXPECT_EQ(sink.items[watch].size(), 1U);
  send("trial.Account", "a", "StopWatches", trial::Nothing{});
  run();
  EXPECT_FALSE(has_ended(watch));
  disk.complete_all();
  EXPECT_EQ(sink.items[watch].size(), 2U);
  EXPECT_EQ(sink.ended[watch].code, status_code::aborted);
}

TEST_F(output_gate, holds_a_call_of_an_actor_whose_change_is_not_durable_and_tells_in_front_of_it) {
  says.turn = [](ScriptedActor& self) { self.state().set_balance(1); };
  send_run();
  run();
  says.turn = [](ScriptedActor& self) {
    const auto book = self.ref<trial::Ledger>("book");
    book.tell_Append(amount(1));
    (void)book.Append(amount(2));
  };
  const auto calling = send_run();
  run();
  EXPECT_EQ(entries(), 0);
  disk.complete_all();
  run();
  EXPECT_EQ(entries(), 2);
  EXPECT_TRUE(has_ended(calling));
}

TEST_F(output_gate, drops_a_call_that_is_given_up_while_it_is_held) {
  says.turn = [](ScriptedActor& self) { self.state().set_balance(1); };
  send_run();
  run();
  says.turn = [](ScriptedActor& self) { (void)self.ref<trial::Ledger>("book").Append(amount(2)); };
  const auto calling = send_run();
  run();
  cancel(calling);
  run();
  disk.complete_all();
  run();
  EXPECT_EQ(sink.ended[calling].code, status_code::cancelled);
  EXPECT_EQ(entries(), 0);
  EXPECT_THAT(recorder.lost, IsEmpty());
}

TEST_F(output_gate, answers_a_call_that_is_cancelled_after_its_turn_with_the_truth) {
  const auto changed = deposit("a", 5);
  cancel(changed);
  EXPECT_FALSE(has_ended(changed));
  disk.complete_all();
  EXPECT_EQ(sink.ended[changed].code, status_code::ok);
}

TEST_F(output_gate, undoes_a_turn_whose_change_the_store_does_not_take) {
  deposit("a", 5);
  disk.complete_all();
  disk.fail_append(1);
  const auto refused = deposit("a", 90);
  ASSERT_TRUE(has_ended(refused));
  EXPECT_EQ(sink.ended[refused].code, status_code::resource_exhausted);
  EXPECT_THAT(sink.ended[refused].text, HasSubstr("the disk is full"));
  EXPECT_EQ(balance_in(get("a")), 5);
}

TEST_F(output_gate, holds_the_first_reply_behind_what_the_activation_has_changed) {
  says.activate = [](ScriptedActor& self) { self.state().set_balance(1); };
  const auto first = send_run();
  run();
  EXPECT_FALSE(has_ended(first));
  disk.complete_all();
  EXPECT_TRUE(has_ended(first));
}

TEST_F(output_gate, lets_an_actor_be_passivated_only_when_its_changes_are_durable) {
  deposit("a", 5);
  idle_for(31);
  EXPECT_EQ(actors->active_actors(), 1U);
  disk.complete_all();
  run();
  idle_for(31);
  EXPECT_EQ(actors->active_actors(), 0U);
  EXPECT_EQ(balance_in(get("a")), 5) << "it is loaded again";
}

TEST_F(output_gate, waits_for_what_the_end_of_an_actor_has_changed) {
  says.passivate = [] {};
  says.turn = [this](ScriptedActor& self) { says.passivate = [&self] { self.state().set_balance(9); }; };
  call_run();
  idle_for(30);
  EXPECT_EQ(actors->active_actors(), 1U) << "it waits for the store";
  says = {};
  disk.complete_all();
  run();
  EXPECT_EQ(actors->active_actors(), 0U);
  std::int64_t balance = 0;
  says.turn = [&balance](ScriptedActor& self) { balance = self.state().balance(); };
  send_run();
  run();
  EXPECT_EQ(balance, 9);
}

TEST_F(output_gate, gives_up_what_it_holds_when_the_worker_ends) {
  says.turn = [](ScriptedActor& self) {
    self.state().set_balance(1);
    self.ref<trial::Ledger>("book").tell_Append(amount(7));
  };
  const auto changed = send_run();
  run();
  actors = nullptr;
  EXPECT_EQ(sink.ended[changed].code, status_code::unavailable);
  EXPECT_EQ(sink.ended[changed].result, outcome::unknown);
  EXPECT_THAT(recorder.lost, ElementsAre(HasSubstr("trial.Book/book Append")));
  actors = std::make_unique<runtime>(loop, types, disk, recorder, bounds);
}

}  // namespace
}  // namespace grove::test
