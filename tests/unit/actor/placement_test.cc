// SPDX-License-Identifier: Apache-2.0
// Who runs an actor: its owner, in the epoch that the sender went by, and nobody else.
#include "worker/actor/placement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "base/hash.h"
#include "tests/unit/actor/trial_actors.h"

namespace grove::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Every address has the owner that the test says.
class one_owner final : public placement {
 public:
  [[nodiscard]] address_owner of(std::uint64_t) const noexcept override { return owner; }
  address_owner owner{0, 0, 7};
};

/// Keeps what is sent to other workers.
class kept_calls final : public remote {
 public:
  void send(std::uint32_t slot, message_ptr call) override {
    slots.push_back(slot);
    calls.push_back(std::move(call));
  }
  [[nodiscard]] send_readiness readiness(std::uint32_t, const message&) override { return send_readiness::ready; }
  void cancel(message&) override {}

  std::vector<std::uint32_t> slots;
  std::vector<message_ptr> calls;
};

class placement_of_actors : public world {
 protected:
  placement_of_actors() { actors->connect(peers, where, 0); }
  ~placement_of_actors() override {
    for (message_ptr& call : peers.calls)
      actors->refuse(std::move(call), {status_code::unavailable, "the test ends"});
  }

  /// A deposit of 5, as the mesh delivers it. Returns the number that it is answered by.
  std::uint64_t arrive(std::uint32_t epoch) {
    message_ptr call = deposit(epoch);
    call->origin = &sink;
    call->origin_id = ++number_;
    calls[number_] = call.get();
    actors->deliver(std::move(call));
    run();
    return number_;
  }
  message_ptr deposit(std::uint32_t epoch) {
    const actor_type& type = *types.find("trial.Account");
    message_ptr made = actors->messages().make("a", amount(5).SerializeAsString());
    made->type = &type;
    made->method = type.find_method("Deposit").value();
    made->hash = hash_of_address(type.id(), "a");
    made->deadline = time_after(time.now(), time_of_calls);
    made->epoch = epoch;
    return made;
  }

  one_owner where;
  kept_calls peers;

 private:
  std::uint64_t number_ = 1000;
};

TEST_F(placement_of_actors, runs_what_reaches_the_owner_in_its_epoch) {
  const auto number = arrive(7);
  EXPECT_EQ(sink.ended[number].code, status_code::ok);
  EXPECT_EQ(actors->active_actors(), 1U);
}

TEST_F(placement_of_actors, refuses_what_another_worker_owns_and_activates_nothing) {
  where.owner = {0, 3, 8};
  const auto number = arrive(7);
  EXPECT_EQ(sink.ended[number].code, status_code::unavailable);
  EXPECT_EQ(sink.ended[number].result, outcome::not_executed);
  EXPECT_THAT(sink.ended[number].text, AllOf(HasSubstr("trial.Account/a"), HasSubstr("worker 3")));
  EXPECT_EQ(actors->active_actors(), 0U);
}

TEST_F(placement_of_actors, refuses_what_another_machine_owns) {
  where.owner = {1, 0, 7};
  EXPECT_EQ(sink.ended[arrive(7)].code, status_code::unavailable);
}

TEST_F(placement_of_actors, refuses_what_was_sent_before_the_address_came_back) {
  where.owner = {0, 0, 9};
  const auto number = arrive(7);
  EXPECT_EQ(sink.ended[number].code, status_code::unavailable);
  EXPECT_EQ(sink.ended[number].result, outcome::not_executed);
  EXPECT_EQ(actors->active_actors(), 0U) << "what was sent to the owner between has overtaken it";
}

TEST_F(placement_of_actors, counts_a_tell_that_reached_the_wrong_worker_as_lost) {
  where.owner = {0, 3, 7};
  actors->deliver(deposit(7));
  run();
  EXPECT_THAT(recorder.lost, ElementsAre(AllOf(HasSubstr("trial.Account/a Deposit"), HasSubstr("worker 3"))));
  EXPECT_EQ(actors->active_actors(), 0U);
}

TEST_F(placement_of_actors, sends_to_the_owner_with_the_epoch_that_it_went_by) {
  where.owner = {0, 3, 8};
  actors->submit(deposit(0));
  ASSERT_THAT(peers.slots, ElementsAre(3U));
  EXPECT_EQ(peers.calls[0]->epoch, 8U);
}

TEST_F(placement_of_actors, keeps_what_it_owns) {
  actors->submit_from_client(deposit(0));
  run();
  EXPECT_THAT(peers.slots, IsEmpty());
  EXPECT_EQ(actors->active_actors(), 1U);
}

}  // namespace
}  // namespace grove::test
