// SPDX-License-Identifier: Apache-2.0
#include "worker/actor/message_scratch.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "tests/unit/actor/scripted_actor.h"

namespace grove::test {
namespace {

class scratch_of_a_worker : public scripted_world {
 protected:
  hosted_type& hosted(std::string_view type) { return *actors->find_hosted(types.find(type)->id()); }
  message_objects& states() { return hosted("trial.Scripted").states; }
};

TEST_F(scratch_of_a_worker, gives_the_copy_of_one_turns_state_to_the_next) {
  says.turn = [](ScriptedActor& self) { self.state().set_balance(1); };
  call_run();
  ASSERT_EQ(states().size(), 1U);
  const auto* const copy = states().front().get();
  call_run();
  ASSERT_EQ(states().size(), 1U);
  EXPECT_EQ(states().front().get(), copy);
}

TEST_F(scratch_of_a_worker, loses_the_copies_of_large_states_with_the_next_sweep) {
  says.turn = [](ScriptedActor& self) { self.state().set_note(std::string(message_scratch::kept_bytes_max, 'x')); };
  call_run();
  actors->sweep_idle();
  EXPECT_EQ(states().size(), 1U) << "what it was before is left";
  call_run();
  actors->sweep_idle();
  EXPECT_EQ(states().size(), 0U);
}

TEST_F(scratch_of_a_worker, loses_large_requests_with_the_next_sweep) {
  message_objects& requests = hosted("trial.Caller").requests[0];
  call("trial.Caller", "a", "Visit", path({}));
  actors->sweep_idle();
  EXPECT_EQ(requests.size(), 1U);
  call("trial.Caller", "a", "Visit", path({std::string(message_scratch::kept_bytes_max, 'k')}));
  actors->sweep_idle();
  EXPECT_EQ(requests.size(), 0U);
}

TEST_F(scratch_of_a_worker, keeps_a_bounded_number_with_a_sweep) {
  for (std::size_t i = 0; i < message_scratch::kept_max + 1; ++i)
    states().push_back(std::make_unique<trial::AccountState>());
  const auto* const warmest = states().back().get();
  actors->sweep_idle();
  EXPECT_EQ(states().size(), message_scratch::kept_max);
  EXPECT_EQ(states().back().get(), warmest);
}

}  // namespace
}  // namespace grove::test
