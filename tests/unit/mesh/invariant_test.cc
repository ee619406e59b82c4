// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/mesh/mesh_fixture.h"
#include "worker/mesh/internal/pending_calls.h"

namespace grove {
namespace {

class mesh_invariants : public mesh_fixture {
 protected:
  mesh_invariants() : mesh_fixture{3} {}
};

TEST_F(mesh_invariants, hold_under_a_mixed_load_and_over_a_death) {
  for (std::uint64_t round = 0; round < 3; ++round) {
    for (std::uint64_t id = 0; id < 30; ++id) {
      at(0).net->send(1, at(0).make(id, std::string(id * 100, 'x')));
      at(0).net->send(2, at(0).make(id));
      at(2).net->send(1, at(2).make(id));
      at(0).net->check_invariants();
    }
    run();
    for (int i = 0; i < 10; ++i) {
      at(1).runtime.answer(0, std::string(1000, 'y'));
      run();
    }
    kill(2);
    run();
    start(2);
    run();
  }
  at(1).runtime.answer_all = true;
  while (!at(1).runtime.calls.empty())
    at(1).runtime.answer(0, "");
  run();
  EXPECT_EQ(at(0).net->calls_out(), 0U);
}

TEST_F(mesh_invariants, notice_a_call_that_says_that_it_is_elsewhere) {
  message_ptr call = at(0).make(1);
  message& sent = *call;
  at(0).net->send(1, std::move(call));
  at(0).net->check_invariants();
  sent.state = message_state::arrived;
  EXPECT_DEATH(at(0).net->check_invariants(), "a call that another worker has is in another state");
  sent.state = message_state::remote;
  ++sent.remote_call;
  EXPECT_DEATH(at(0).net->check_invariants(), "a call has the number of another entry");
  --sent.remote_call;
  sent.remote_slot = 2;
  EXPECT_DEATH(at(0).net->check_invariants(), "a call and its entry name different workers");
  sent.remote_slot = 1;
  at(1).runtime.answer_all = true;
  run();
}

TEST_F(mesh_invariants, notice_a_call_of_another_worker_that_has_lost_its_origin) {
  at(0).net->send(1, at(0).make(1));
  run();
  reply_sink* const origin = std::exchange(at(1).runtime.calls.front()->origin, nullptr);
  EXPECT_DEATH(at(1).net->check_invariants(), "a call of another worker would be answered to somebody else");
  at(1).runtime.calls.front()->origin = origin;
  at(1).runtime.answer(0, "");
  run();
}

TEST_F(mesh_invariants, a_message_is_sent_from_where_it_is) {
  message_ptr call = at(0).make(1);
  call->state = message_state::queued;
  EXPECT_DEATH(at(0).net->send(1, std::move(call)), "a message is sent to another worker that is somewhere else");
}

TEST(pending_calls, are_added_with_a_number_of_their_own) {
  meshes::detail::pending_calls pending;
  message_pool messages;
  EXPECT_DEATH(pending.add(messages.make("key", ""), 1, 0), "a call is added that has no number");
}

}  // namespace
}  // namespace grove
