// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/mesh/mesh_fixture.h"

namespace grove {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class mesh_death : public mesh_fixture {};

TEST_F(mesh_death, calls_that_it_had_fail_at_once_with_unknown_outcome) {
  at(0).net->send(1, at(0).make(1));
  run();
  kill(1);
  run();
  ASSERT_EQ(at(0).caller.ends.size(), 1U);
  const auto& end = at(0).caller.ends[0];
  EXPECT_EQ(end.code, status_code::unavailable);
  EXPECT_EQ(end.result, outcome::unknown);
  EXPECT_EQ(end.text, "worker 1 died while it had the call");
  EXPECT_EQ(at(0).net->calls_out(), 0U);
  EXPECT_EQ(at(0).messages.in_use(), 0U);
}

TEST_F(mesh_death, calls_that_were_not_published_are_not_executed) {
  at(0).net->send(1, at(0).make(1));
  kill(1);
  run();
  ASSERT_EQ(at(0).caller.ends.size(), 1U);
  EXPECT_EQ(at(0).caller.ends[0].result, outcome::not_executed);
}

TEST_F(mesh_death, answers_that_it_published_before_are_still_taken) {
  at(0).net->send(1, at(0).make(1));
  at(0).net->send(1, at(0).make(2));
  at(0).net->flush();
  at(1).net->poll();
  at(1).runtime.answer(0, "just in time");
  at(1).net->flush();
  kill(1);
  run();
  ASSERT_EQ(at(0).caller.ends.size(), 2U);
  EXPECT_EQ(at(0).caller.ends[0].payload, "just in time");
  EXPECT_EQ(at(0).caller.ends[1].code, status_code::unavailable);
}

TEST_F(mesh_death, calls_to_it_are_refused_before_the_table_was_looked_at) {
  kill(1);
  at(0).net->send(1, at(0).make(1));
  ASSERT_EQ(at(0).caller.ends.size(), 1U);
  EXPECT_EQ(at(0).caller.ends[0].code, status_code::unavailable);
  EXPECT_EQ(at(0).caller.ends[0].result, outcome::not_executed);
  EXPECT_EQ(at(0).caller.ends[0].text, "worker 1, which owns test.Counter/key, is restarting");
  segment_.set_state(1, worker_state::starting);
  at(0).net->send(1, at(0).make(2));
  EXPECT_EQ(at(0).caller.ends.size(), 2U);
  run();
  at(0).net->send(1, at(0).make(3));
  EXPECT_EQ(at(0).caller.ends.size(), 3U);
}

TEST_F(mesh_death, its_successor_serves_calls) {
  at(0).net->send(1, at(0).make(1));
  run();
  kill(1);
  start(1);
  run();
  at(1).runtime.answer_all = true;
  at(0).net->send(1, at(0).make(2, "new"));
  run();
  ASSERT_EQ(at(0).caller.ends.size(), 2U);
  EXPECT_EQ(at(0).caller.ends[1].id, 2U);
  EXPECT_EQ(at(0).caller.ends[1].payload, "new");
}

TEST_F(mesh_death, death_and_replacement_between_two_polls_is_seen) {
  at(0).net->send(1, at(0).make(1));
  run();
  kill(1);
  start(1);
  at(0).net->send(1, at(0).make(2));
  ASSERT_EQ(at(0).caller.ends.size(), 1U) << "its process is not the one that this worker knows";
  run();
  ASSERT_EQ(at(0).caller.ends.size(), 2U);
  EXPECT_EQ(at(0).caller.ends[1].id, 1U);
  EXPECT_EQ(at(0).caller.ends[1].code, status_code::unavailable);
  EXPECT_TRUE(at(1).runtime.calls.empty());
}

TEST_F(mesh_death, call_for_the_dead_process_does_not_run_in_its_successor) {
  kill(1);
  // Worker 0 has not noticed: what it wrote before is published after the successor has come.
  segment_.slot(1).state.store(worker_state::up);
  at(0).net->send(1, at(0).make(1));
  segment_.slot(1).state.store(worker_state::down);
  segment_.set_state(1, worker_state::starting);
  workers_[1] = make_worker(1);
  at(0).net->flush();
  at(1).net->poll();
  EXPECT_TRUE(at(1).runtime.calls.empty());
  run();
  EXPECT_EQ(at(0).caller.ends.size(), 1U);
}

TEST_F(mesh_death, calls_that_it_had_sent_are_cancelled_and_their_answers_dropped) {
  at(1).net->send(0, at(1).make(1));
  run();
  ASSERT_EQ(at(0).runtime.calls.size(), 1U);
  kill(1);
  run();
  EXPECT_EQ(at(0).runtime.cancels, 1);
  EXPECT_FALSE(at(0).runtime.calls[0]->wants_reply());
  at(0).runtime.answer(0, "nobody waits");
  start(1);
  run();
  EXPECT_TRUE(at(1).caller.ends.empty());
}

TEST_F(mesh_death, calls_that_it_published_but_nobody_read_do_not_run_and_tells_do) {
  at(1).net->send(0, at(1).make(1));
  message_ptr tell = at(1).make(2, "tell");
  tell->origin = nullptr;
  at(1).net->send(0, std::move(tell));
  at(1).net->flush();
  kill(1);
  run();
  ASSERT_EQ(at(0).runtime.calls.size(), 1U);
  EXPECT_EQ(at(0).runtime.calls[0]->payload(), "tell");
}

TEST_F(mesh_death, answer_to_a_dead_process_does_not_reach_its_successor) {
  at(1).net->send(0, at(1).make(1));
  run();
  kill(1);
  // The answer is written before worker 0 has noticed, and published after the successor has come.
  at(0).runtime.answer(0, "for the dead");
  segment_.set_state(1, worker_state::starting);
  workers_[1] = make_worker(1);
  segment_.set_state(1, worker_state::up);
  // A call of the successor's gets the same index.
  at(1).net->poll();
  at(1).net->send(0, at(1).make(2));
  at(0).net->flush();
  at(1).net->poll();
  EXPECT_TRUE(at(1).caller.ends.empty());
  run();
  ASSERT_EQ(at(0).runtime.calls.size(), 1U);
  at(0).runtime.answer(0, "for the living");
  run();
  ASSERT_EQ(at(1).caller.ends.size(), 1U);
  EXPECT_EQ(at(1).caller.ends[0].payload, "for the living");
}

TEST_F(mesh_death, successors_calls_are_taken_even_if_they_come_before_the_death_was_noticed) {
  at(1).net->send(0, at(1).make(1));
  at(1).net->flush();
  kill(1);
  start(1);
  at(1).net->send(0, at(1).make(2, "of the successor"));
  at(1).net->flush();
  run();
  ASSERT_EQ(at(0).runtime.calls.size(), 1U);
  EXPECT_EQ(at(0).runtime.calls[0]->payload(), "of the successor");
  at(0).runtime.answer(0, "ok");
  run();
  EXPECT_EQ(at(1).caller.ends.size(), 1U);
}

TEST_F(mesh_death, what_waited_for_it_is_forgotten) {
  for (std::uint64_t i = 0; i < 20; ++i) {
    at(1).net->send(0, at(1).make(i));
  }
  at(1).net->flush();
  at(0).net->poll();
  while (!at(0).runtime.calls.empty()) {
    at(0).runtime.answer(0, std::string(9000, 'x'));
  }
  at(0).net->flush();
  EXPECT_GT(count(0, metric::mesh_overflow), 0U);
  kill(1);
  run();
  EXPECT_EQ(count(0, metric::mesh_overflow), 0U);
  start(1);
  run();
  EXPECT_TRUE(at(1).caller.ends.empty());
}

TEST_F(mesh_death, draining_worker_takes_nested_calls_and_tells_only) {
  segment_.set_state(1, worker_state::draining);
  message_ptr fresh = at(0).make(1);
  fresh->depth = 0;
  at(0).net->send(1, std::move(fresh));
  ASSERT_EQ(at(0).caller.ends.size(), 1U);
  EXPECT_THAT(at(0).caller.ends[0].text, HasSubstr("is draining"));
  at(1).runtime.answer_all = true;
  at(0).net->send(1, at(0).make(2));
  run();
  ASSERT_EQ(at(0).caller.ends.size(), 2U);
  EXPECT_EQ(at(0).caller.ends[1].code, status_code::ok);
  message_ptr tell = at(0).make(3, "tell");
  tell->depth = 0;
  tell->origin = nullptr;
  at(1).runtime.answer_all = false;
  at(0).net->send(1, std::move(tell));
  run();
  ASSERT_EQ(at(1).runtime.calls.size(), 1U);
  EXPECT_EQ(at(1).runtime.calls[0]->payload(), "tell");
}

TEST_F(mesh_death, tells_to_a_worker_that_is_down_are_reported_as_lost) {
  kill(1);
  run();
  message_ptr tell = at(0).make(1);
  tell->origin = nullptr;
  at(0).net->send(1, std::move(tell));
  EXPECT_THAT(at(0).runtime.lost_tells, ElementsAre(HasSubstr("is restarting")));
}

TEST_F(mesh_death, tells_that_it_had_not_read_are_reported_as_lost) {
  const auto tell = [this](const std::string& payload) {
    message_ptr made = at(0).make(0, payload);
    made->origin = nullptr;
    at(0).net->send(1, std::move(made));
  };
  for (int lap = 0; lap < 100; ++lap) {
    tell(std::string(5'000, 'r'));
    at(0).net->flush();
    at(1).net->poll();
    at(1).runtime.take(0).reset();
  }
  at(0).net->send(1, at(0).make(1));
  tell("published");
  at(0).net->flush();
  tell("not published");
  kill(1);
  run();
  EXPECT_THAT(at(0).runtime.lost_tells, testing::Each(std::string{"worker 1 ended before it had read it"}));
  EXPECT_EQ(at(0).runtime.lost_tells.size(), 2U) << "and the one that it had read is not among them";
  EXPECT_EQ(at(0).caller.ends.size(), 1U) << "a call is no tell";
  EXPECT_EQ(at(0).messages.in_use(), 0U);
  // Its successor dies before it has made its mesh, and with that dropped what was for its predecessor.
  segment_.set_state(1, worker_state::starting);
  run();
  segment_.set_state(1, worker_state::down);
  run();
  EXPECT_EQ(at(0).runtime.lost_tells.size(), 2U);
}

TEST_F(mesh_death, a_caller_that_calls_again_while_it_is_told_is_answered_too) {
  class stubborn final : public reply_sink {
   public:
    explicit stubborn(fake_worker& its_worker) : worker{its_worker} {}
    void finish(message&, const reply& end) override {
      codes.push_back(end.code);
      if (codes.size() > 5) return;
      message_ptr again = worker.make(codes.size());
      again->origin = this;
      worker.net->send(1, std::move(again));
    }
    void item(message&, const payload_source&) override {}
    [[nodiscard]] std::size_t backlog_bytes(const message&) const override { return 0; }
    fake_worker& worker;
    std::vector<status_code> codes;
  };
  stubborn caller{at(0)};
  message_ptr call = at(0).make(0);
  call->origin = &caller;
  at(0).net->send(1, std::move(call));
  run();
  kill(1);
  run();
  EXPECT_EQ(caller.codes, std::vector<status_code>(6, status_code::unavailable));
}

class mesh_of_three : public mesh_fixture {
 protected:
  mesh_of_three() : mesh_fixture{3} {}
};

TEST_F(mesh_of_three, death_of_one_does_not_touch_calls_of_the_others) {
  at(0).net->send(1, at(0).make(1));
  at(0).net->send(2, at(0).make(2));
  at(2).net->send(0, at(2).make(3));
  run();
  kill(1);
  run();
  ASSERT_EQ(at(0).caller.ends.size(), 1U);
  EXPECT_EQ(at(0).caller.ends[0].id, 1U);
  EXPECT_EQ(at(0).runtime.cancels, 0);
  at(2).runtime.answer(0, "two");
  at(0).runtime.answer(0, "three");
  run();
  EXPECT_EQ(at(0).caller.ends.back().payload, "two");
  EXPECT_EQ(at(2).caller.ends.back().payload, "three");
}

}  // namespace
}  // namespace grove
