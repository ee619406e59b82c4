// SPDX-License-Identifier: Apache-2.0
#include <google/protobuf/any.pb.h>
#include <gtest/gtest.h>

#include "tests/unit/actor/trial_actors.h"

namespace grove::test {
namespace {

class life_of_an_actor : public world {
 protected:
  void idle_for(int seconds) {
    for (int second = 0; second < seconds; ++second)
      actors->sweep_idle();
    run();
  }
};

TEST_F(life_of_an_actor, begins_with_its_first_message) {
  EXPECT_EQ(actors->active_actors(), 0U);
  call("trial.Account", "a", "Get", trial::Nothing{});
  EXPECT_EQ(actors->active_actors(), 1U);
}

TEST_F(life_of_an_actor, ends_when_it_was_idle_for_the_time_of_its_type) {
  call("trial.Account", "a", "Get", trial::Nothing{});
  idle_for(29);
  EXPECT_EQ(actors->active_actors(), 1U);
  idle_for(1);
  EXPECT_EQ(actors->active_actors(), 0U);
}

TEST_F(life_of_an_actor, keeps_its_state_over_passivation) {
  call("trial.Account", "a", "Deposit", amount(12));
  idle_for(30);
  ASSERT_EQ(actors->active_actors(), 0U);
  EXPECT_EQ(store.size(), 1U);
  EXPECT_EQ(ask<trial::Balance>("trial.Account", "a", "Get", trial::Nothing{}).balance(), 12);
}

TEST_F(life_of_an_actor, leaves_nothing_in_the_store_when_its_state_is_empty) {
  call("trial.Account", "a", "Get", trial::Nothing{});
  idle_for(30);
  EXPECT_EQ(store.size(), 0U);
}

TEST_F(life_of_an_actor, is_not_ended_while_a_turn_waits) {
  send("trial.Account", "a", "SlowDeposit", amount(1000));
  run();
  idle_for(100);
  EXPECT_EQ(actors->active_actors(), 1U);
  advance(std::chrono::seconds{1});
}

TEST_F(life_of_an_actor, fails_its_first_call_when_its_stored_state_is_damaged) {
  google::protobuf::Any no_utf8;
  no_utf8.set_value("\xff");
  store.passivated({"trial.Account", "a", no_utf8});
  const ended_call end = call("trial.Account", "a", "Get", trial::Nothing{});
  EXPECT_EQ(end.code, status_code::data_loss);
  EXPECT_EQ(end.result, outcome::not_executed);
  EXPECT_NE(end.text.find("trial.Account/a"), std::string::npos);
}

TEST_F(life_of_an_actor, that_fails_to_begin_fails_the_call_as_not_executed) {
  const ended_call end = call("trial.Caller", "stillborn", "Visit", path({}));
  EXPECT_EQ(end.code, status_code::internal);
  EXPECT_EQ(end.result, outcome::not_executed);
  EXPECT_NE(end.text.find("no life"), std::string::npos) << end.text;
}

TEST(actor_cell, of_an_idle_actor_stays_small) {
  EXPECT_LE(sizeof(actor_cell), 104U);
}

}  // namespace
}  // namespace grove::test
