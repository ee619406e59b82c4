// SPDX-License-Identifier: Apache-2.0
#include "worker/mesh/drain_agreement.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "tests/support/seed.h"
#include "tests/unit/mesh/mesh_fixture.h"

namespace grove {
namespace {

/// Workers that are all told to stop at once.
class drain_of : public mesh_fixture {
 protected:
  explicit drain_of(std::uint32_t workers) : mesh_fixture{workers} {
    for (std::uint32_t slot = 0; slot < workers; ++slot)
      agreements_.push_back(std::make_unique<drain_agreement>(segment_, slot, *wakes_));
    for (std::uint32_t slot = 0; slot < workers; ++slot)
      segment_.set_state(slot, worker_state::draining);
    run();
  }

  /// What a worker looks at in each pass of its loop while it drains: whether it may go.
  bool may_leave(std::uint32_t slot) {
    if (at(slot).messages.in_use() != 0 || !at(slot).net->idle()) return false;
    agreements_[slot]->rest();
    return agreements_[slot]->reached();
  }

  void tell(std::uint32_t from, std::uint32_t to, const std::string& payload = "tell") {
    message_ptr made = at(from).make(0, payload);
    made->origin = nullptr;
    at(from).net->send(to, std::move(made));
  }

  std::vector<std::unique_ptr<drain_agreement>> agreements_;
};

class drain_of_two : public drain_of {
 protected:
  drain_of_two() : drain_of{2} {}
};

class drain_of_three : public drain_of {
 protected:
  drain_of_three() : drain_of{3} {}
};

TEST_F(drain_of_two, ends_when_both_have_nothing_to_do) {
  EXPECT_FALSE(may_leave(0)) << "of the other one it is not known yet";
  EXPECT_TRUE(may_leave(1));
  EXPECT_TRUE(may_leave(0));
}

TEST_F(drain_of_two, waits_for_a_call_that_is_written_and_not_published) {
  at(0).net->send(1, at(0).make(1));
  EXPECT_FALSE(may_leave(1));
  EXPECT_FALSE(may_leave(0));
  EXPECT_FALSE(may_leave(1)) << "it has nothing to do, but will have";
  at(1).runtime.answer_all = true;
  run();
  ASSERT_EQ(at(0).caller.ends.size(), 1U);
  EXPECT_EQ(at(0).caller.ends[0].code, status_code::ok);
  EXPECT_FALSE(may_leave(1));
  EXPECT_TRUE(may_leave(0));
  EXPECT_TRUE(may_leave(1));
}

TEST_F(drain_of_two, does_not_believe_what_was_true_before_a_tell_came) {
  EXPECT_FALSE(may_leave(1));
  tell(0, 1);
  at(0).net->flush();
  EXPECT_FALSE(may_leave(0)) << "worker 1 said that it rests, and has got something since";
  run();
  EXPECT_FALSE(may_leave(1)) << "the tell runs";
  EXPECT_FALSE(may_leave(0));
  at(1).runtime.take(0).reset();
  EXPECT_TRUE(may_leave(1));
  EXPECT_TRUE(may_leave(0));
}

TEST_F(drain_of_two, wakes_the_other_one_when_it_comes_to_rest_and_then_no_more) {
  EXPECT_FALSE(may_leave(1));
  EXPECT_TRUE(is_woken(0));
  EXPECT_FALSE(may_leave(1));
  EXPECT_FALSE(is_woken(0));
}

TEST_F(drain_of_two, does_not_wait_for_one_that_died) {
  tell(1, 0, "the last one");
  at(1).net->flush();
  kill(1);
  EXPECT_FALSE(may_leave(0)) << "what it had published is still read";
  run();
  ASSERT_EQ(at(0).runtime.calls.size(), 1U);
  at(0).runtime.take(0).reset();
  EXPECT_TRUE(may_leave(0));
}

TEST_F(drain_of_two, does_not_wait_for_one_that_does_not_stop) {
  segment_.set_state(1, worker_state::up);
  run();
  EXPECT_TRUE(may_leave(0));
}

TEST_F(drain_of_two, ends_when_their_supervisor_has_died_and_told_nobody) {
  for (std::uint32_t slot = 0; slot < 2; ++slot)
    segment_.set_state(slot, worker_state::up);
  run();
  EXPECT_FALSE(may_leave(0)) << "worker 1 has not noticed yet";
  EXPECT_TRUE(may_leave(1));
  workers_[1].reset();
  EXPECT_TRUE(may_leave(0)) << "it has gone, and nobody says that it is down";
}

TEST_F(drain_of_two, takes_nothing_from_the_last_process_of_a_slot) {
  EXPECT_FALSE(may_leave(1));
  kill(1);
  start(1);
  agreements_[1] = std::make_unique<drain_agreement>(segment_, 1, *wakes_);
  segment_.set_state(1, worker_state::draining);
  run();
  EXPECT_FALSE(may_leave(0));
  EXPECT_TRUE(may_leave(1));
  EXPECT_TRUE(may_leave(0));
}

TEST_F(drain_of_three, is_not_deceived_by_a_tell_that_moves_on) {
  tell(1, 2);
  EXPECT_FALSE(may_leave(0));
  EXPECT_FALSE(may_leave(2)) << "it rests, and what worker 1 has for it is not published";
  run();
  EXPECT_FALSE(may_leave(1)) << "its part is done";
  EXPECT_FALSE(may_leave(0)) << "all three have said once that they rest, but worker 2 has the tell";
  at(2).runtime.take(0).reset();
  tell(2, 0);
  EXPECT_FALSE(may_leave(2));
  EXPECT_FALSE(may_leave(0));
  EXPECT_FALSE(may_leave(1));
  run();
  EXPECT_FALSE(may_leave(2)) << "now worker 0 has it";
  EXPECT_FALSE(may_leave(1));
  at(0).runtime.take(0).reset();
  EXPECT_TRUE(may_leave(0));
  EXPECT_TRUE(may_leave(1));
  EXPECT_TRUE(may_leave(2));
}

/// Chains of tells, each from one worker to another, with the passes of the workers in any order.
class drain_of_many : public drain_of {
 protected:
  drain_of_many() : drain_of{4} {}

  void pass(std::uint32_t slot) {
    fake_worker& worker = at(slot);
    if (!worker.runtime.calls.empty() && random_.below(2) == 0) {
      worker.runtime.take(random_.below(static_cast<std::uint32_t>(worker.runtime.calls.size()))).reset();
      ++finished_;
      if (started_ < tells && random_.below(8) != 0) start_one(slot);
    }
    if (random_.below(2) == 0) worker.net->poll();
  }

  void start_one(std::uint32_t from) {
    tell(from, (from + 1 + random_.below(3)) % 4);
    ++started_;
  }

  static constexpr std::uint64_t tells = 200;
  random_source random_{test::seed()};
  std::uint64_t started_ = 0;
  std::uint64_t finished_ = 0;
};

TEST_F(drain_of_many, ends_after_the_last_tell_of_all_and_for_all) {
  for (int round = 0; round < 50; ++round) {
    started_ = finished_ = 0;
    for (std::uint32_t slot = 0; slot < 4; ++slot) {
      agreements_[slot] = std::make_unique<drain_agreement>(segment_, slot, *wakes_);
      start_one(slot);
    }
    std::vector<bool> left(4, false);
    int steps = 0;
    for (; left != std::vector<bool>(4, true); ++steps) {
      ASSERT_LT(steps, 1'000'000) << "it does not end";
      const std::uint32_t slot = random_.below(4);
      if (left[slot]) continue;
      pass(slot);
      if (!may_leave(slot)) continue;
      ASSERT_EQ(started_, finished_) << "worker " << slot << " leaves while there is something to do";
      left[slot] = true;
    }
  }
}

}  // namespace
}  // namespace grove
