// SPDX-License-Identifier: Apache-2.0
// Whose partitions others serve, from when on, and until when.
#include "tests/unit/server/supervisor_fixture.h"

namespace grove::server {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class supervisor_partitions : public supervisor_fixture {
 protected:
  explicit supervisor_partitions(std::uint32_t workers = 2) : supervisor_fixture{workers} {}

  [[nodiscard]] std::uint32_t owned_by(std::uint32_t slot) const {
    std::uint32_t count = 0;
    for (std::uint32_t p = 0; p < segment.partitions(); ++p)
      count += segment.owner_of_partition(p).worker() == slot ? 1 : 0;
    return count;
  }
  /// The slot's process ends before it is ready, again and again, until its partitions are with others; returns how long
  /// that has taken.
  steady_duration fail_until_gone(std::uint32_t slot) {
    const steady_time begin = time.now();
    while (owned_by(slot) > 0 && time.now() - begin < 10s) {
      if (judge.workers()[slot].pid != 0) judge.on_exit(slot, exit_status::exited(1));
      if (owned_by(slot) > 0) pass(10ms);
    }
    return time.now() - begin;
  }
};

class supervisor_partitions_of_four : public supervisor_partitions {
 protected:
  supervisor_partitions_of_four() : supervisor_partitions{4} {}
};

TEST_F(supervisor_partitions, stay_with_a_worker_that_is_back_at_once) {
  begin_and_serve();
  for (int death = 0; death < 5; ++death) {
    judge.on_exit(1, exit_status::signalled(SIGKILL));
    EXPECT_EQ(owned_by(1), 512U);
    become_ready(1);
    pass(100ms);
  }
  EXPECT_EQ(owned_by(1), 512U);
  EXPECT_EQ(judge.ready().reason, "2 of 2 workers up");
}

TEST_F(supervisor_partitions, stay_with_a_worker_whose_start_fails_once) {
  begin_and_serve();
  judge.on_exit(1, exit_status::signalled(SIGKILL));
  judge.on_exit(1, exit_status::exited(1));
  pass(500ms);
  become_ready(1);
  EXPECT_EQ(owned_by(1), 512U);
  EXPECT_THAT(logged(), Not(HasSubstr("dealt out")));
}

TEST_F(supervisor_partitions, are_dealt_out_within_a_second_when_starts_fail_again_and_again) {
  begin_and_serve();
  judge.on_exit(1, exit_status::signalled(SIGKILL));
  const auto version_before = segment.table_version();
  const int pokes_before = host.pokes;
  EXPECT_LE(fail_until_gone(1), 1s);
  EXPECT_EQ(owned_by(0), 1024U);
  EXPECT_GE(segment.table_version(), version_before + 512);
  EXPECT_GT(host.pokes, pokes_before);
  EXPECT_TRUE(judge.ready().ready);
  EXPECT_EQ(judge.ready().reason, "1 of 2 workers up; worker 1 has no process, others serve its 512 partitions");
}

TEST_F(supervisor_partitions, are_told_of_once_in_the_log) {
  begin_and_serve();
  judge.on_exit(1, exit_status::signalled(SIGKILL));
  fail_until_gone(1);
  for (int round = 0; round < 5; ++round) {
    pass(6s);
    judge.on_exit(1, exit_status::exited(1));
  }
  const std::string line = "warning worker 1: has no process; 512 partitions are dealt out to 1 worker\n";
  EXPECT_THAT(logged(), HasSubstr(line));
  EXPECT_EQ(logged().find(line), logged().rfind(line));
}

TEST_F(supervisor_partitions, are_dealt_out_when_starts_that_take_long_fail) {
  begin_and_serve();
  judge.on_exit(1, exit_status::signalled(SIGKILL));
  pass(700ms);
  judge.on_exit(1, exit_status::exited(1));
  EXPECT_EQ(owned_by(1), 512U);
  pass(800ms);
  judge.on_exit(1, exit_status::exited(1));
  EXPECT_EQ(owned_by(1), 0U);
}

TEST_F(supervisor_partitions, stay_with_a_worker_that_waits_because_its_turns_end_it) {
  begin_and_serve();
  for (int death = 0; death < 8; ++death) {
    segment.slot(1).flight.running(5, 0, 0, "x", 17, 0, 0);
    judge.on_exit(1, exit_status::signalled(SIGSEGV));
    EXPECT_EQ(owned_by(1), 512U) << "what kills a worker would kill the next";
    pass(6s);
    become_ready(1);
  }
  EXPECT_EQ(owned_by(1), 512U);
}

TEST_F(supervisor_partitions, of_a_worker_of_another_version_are_dealt_out_when_it_has_ended) {
  judge.begin();
  become_ready(0);
  say_hello(1, "9.9.9");
  EXPECT_EQ(owned_by(1), 512U) << "its process still lives";
  judge.on_exit(1, exit_status::signalled(SIGKILL));
  EXPECT_EQ(owned_by(0), 1024U);
}

TEST_F(supervisor_partitions, of_a_worker_with_a_bad_configuration_are_dealt_out_when_it_has_ended) {
  begin_and_serve();
  judge.on_exit(1, exit_status::signalled(SIGKILL));
  judge.on_exit(1, exit_status::exited(exit_codes::bad_configuration));
  EXPECT_EQ(owned_by(0), 1024U);
}

TEST_F(supervisor_partitions, wait_until_somebody_serves_who_can_take_them) {
  judge.begin();
  judge.on_exit(1, exit_status::exited(exit_codes::bad_configuration));
  EXPECT_EQ(owned_by(1), 512U);
  EXPECT_THAT(logged(), Not(HasSubstr("dealt out")));
  become_ready(0);
  EXPECT_EQ(owned_by(0), 1024U);
}

TEST_F(supervisor_partitions, stay_with_others_when_their_worker_comes_back) {
  begin_and_serve();
  judge.on_exit(1, exit_status::signalled(SIGKILL));
  fail_until_gone(1);
  pass(2s);
  become_ready(1);
  EXPECT_EQ(owned_by(0), 1024U) << "their actors live there";
  EXPECT_TRUE(judge.ready().ready);
  EXPECT_EQ(judge.ready().reason, "2 of 2 workers up; others serve 512 partitions of worker 1");
  EXPECT_THAT(logged(), HasSubstr("info worker 1: 512 partitions of it stay with others until those end\n"));
}

TEST_F(supervisor_partitions, go_home_when_the_worker_that_had_them_ends) {
  begin_and_serve();
  judge.on_exit(1, exit_status::signalled(SIGKILL));
  fail_until_gone(1);
  pass(2s);
  become_ready(1);
  (void)host.take();
  const int pokes_before = host.pokes;
  judge.on_exit(0, exit_status::signalled(SIGKILL));
  EXPECT_THAT(host.take(), testing::ElementsAre("start 0"));
  EXPECT_EQ(owned_by(1), 512U);
  EXPECT_EQ(owned_by(0), 512U);
  EXPECT_GT(host.pokes, pokes_before);
  EXPECT_EQ(judge.ready().reason, "1 of 2 workers up");
  EXPECT_THAT(logged(), HasSubstr("info worker 0: 512 partitions that it had of others are with those again\n"));
}

TEST_F(supervisor_partitions, stay_with_the_successor_of_who_had_them_while_their_own_worker_is_away) {
  begin_and_serve();
  judge.on_exit(1, exit_status::signalled(SIGKILL));
  fail_until_gone(1);
  judge.on_exit(0, exit_status::signalled(SIGKILL));
  EXPECT_EQ(owned_by(0), 1024U);
  become_ready(0);
  EXPECT_EQ(owned_by(0), 1024U);
}

TEST_F(supervisor_partitions, do_not_move_while_the_server_stops) {
  begin_and_serve();
  judge.on_signal(SIGTERM);
  judge.on_exit(1, exit_status::exited(exit_codes::bad_configuration));
  EXPECT_EQ(owned_by(1), 512U);
}

TEST_F(supervisor_partitions_of_four, are_dealt_out_evenly) {
  begin_and_serve();
  judge.on_exit(2, exit_status::exited(exit_codes::bad_configuration));
  EXPECT_EQ(owned_by(2), 0U);
  for (const std::uint32_t slot : {0U, 1U, 3U})
    EXPECT_NEAR(owned_by(slot), 1024.0 / 3, 1);
  EXPECT_EQ(judge.ready().reason, "3 of 4 workers up; worker 2 has no process, others serve its 256 partitions");
  judge.on_exit(1, exit_status::exited(exit_codes::bad_configuration));
  EXPECT_EQ(owned_by(0), 512U);
  EXPECT_EQ(owned_by(3), 512U);
  EXPECT_EQ(
      judge.ready().reason,
      "2 of 4 workers up; worker 1 has no process, others serve its 256 partitions; worker 2 has no process, others "
      "serve its 256 partitions");
}

TEST_F(supervisor_partitions_of_four, of_several_workers_go_home_one_by_one) {
  begin_and_serve();
  judge.on_exit(1, exit_status::signalled(SIGKILL));
  judge.on_exit(2, exit_status::signalled(SIGKILL));
  fail_until_gone(1);
  fail_until_gone(2);
  EXPECT_EQ(owned_by(0) + owned_by(3), 1024U);
  pass(3s);
  become_ready(2);
  judge.on_exit(0, exit_status::signalled(SIGKILL));
  become_ready(0);
  judge.on_exit(3, exit_status::signalled(SIGKILL));
  become_ready(3);
  EXPECT_EQ(owned_by(2), 256U);
  EXPECT_EQ(owned_by(1), 0U);
  EXPECT_THAT(judge.ready().reason, AllOf(HasSubstr("worker 1 "), Not(HasSubstr("worker 2 "))));
}

}  // namespace
}  // namespace grove::server
