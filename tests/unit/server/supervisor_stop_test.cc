// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/server/supervisor_fixture.h"

namespace grove::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class supervisor_stop : public supervisor_fixture {};

TEST_F(supervisor_stop, term_turns_readiness_off_and_drains_every_worker) {
  begin_and_serve();
  judge.on_signal(SIGTERM);
  EXPECT_FALSE(judge.ready().ready);
  EXPECT_EQ(judge.ready().reason, "draining");
  EXPECT_EQ(state(0), worker_state::draining);
  EXPECT_EQ(state(1), worker_state::draining);
  EXPECT_THAT(host.take(), ElementsAre("drain 0", "drain 1"));
  EXPECT_EQ(host.sent[0].drain().grace_ms(), 24'500U);
}

TEST_F(supervisor_stop, nobody_is_let_in_any_more_once_a_stop_has_begun) {
  begin_and_serve();
  judge.on_exit(1, exit_status::signalled(SIGKILL));
  EXPECT_TRUE(host.listening) << "a worker's death is no stop";
  judge.on_signal(SIGTERM);
  EXPECT_FALSE(host.listening);
}

TEST_F(supervisor_stop, nobody_is_let_in_any_more_when_it_quits) {
  begin_and_serve();
  judge.on_signal(SIGINT);
  EXPECT_FALSE(host.listening);
}

TEST_F(supervisor_stop, a_drained_server_exits_with_0_when_the_last_worker_has_gone) {
  begin_and_serve();
  judge.on_signal(SIGTERM);
  say_drained(0);
  judge.on_exit(0, exit_status::exited(0));
  EXPECT_FALSE(judge.exit_code());
  say_drained(1);
  judge.on_exit(1, exit_status::exited(0));
  EXPECT_EQ(judge.exit_code(), 0);
  EXPECT_THAT(host.take(), ElementsAre("drain 0", "drain 1"));
  EXPECT_THAT(logged(), HasSubstr("1 worker left"));
  EXPECT_THAT(logged(), HasSubstr("exit 0"));
}

TEST_F(supervisor_stop, a_worker_that_does_not_drain_in_time_is_killed_and_the_exit_is_still_0) {
  begin_and_serve();
  judge.on_signal(SIGTERM);
  judge.on_exit(0, exit_status::exited(0));
  (void)host.take();
  pass(24'900ms);
  EXPECT_THAT(host.take(), IsEmpty());
  pass(100ms);
  EXPECT_THAT(host.take(), ElementsAre("SIGKILL 1"));
  judge.on_exit(1, exit_status::signalled(SIGKILL));
  EXPECT_EQ(judge.exit_code(), 0);
  EXPECT_THAT(logged(), HasSubstr("warning worker 1 (pid 101): not drained within 25s; it gets SIGKILL"));
  EXPECT_THAT(logged(), HasSubstr("the drain was cut: 1 worker not done"));
  EXPECT_THAT(logged(), Not(HasSubstr("before SIGKILL reached it")));
}

TEST_F(supervisor_stop, a_worker_that_is_done_just_in_time_is_not_killed_and_not_called_cut) {
  begin_and_serve();
  judge.on_signal(SIGTERM);
  pass(24'990ms);
  say_drained(0);
  say_drained(1);
  (void)host.take();
  pass(400ms);
  EXPECT_THAT(host.take(), IsEmpty()) << "both are about to end";
  judge.on_exit(0, exit_status::exited(0));
  judge.on_exit(1, exit_status::exited(0));
  EXPECT_EQ(judge.exit_code(), 0);
  EXPECT_THAT(logged(), Not(HasSubstr("not drained")));
  EXPECT_THAT(logged(), Not(HasSubstr("SIGKILL")));
  EXPECT_THAT(logged(), Not(HasSubstr("cut")));
}

TEST_F(supervisor_stop, a_worker_that_says_that_it_is_done_and_does_not_end_is_killed_half_a_second_later) {
  begin_and_serve();
  judge.on_signal(SIGTERM);
  say_drained(0);
  judge.on_exit(0, exit_status::exited(0));
  say_drained(1);
  (void)host.take();
  pass(25'499ms);
  EXPECT_THAT(host.take(), IsEmpty());
  pass(1ms);
  EXPECT_THAT(host.take(), ElementsAre("SIGKILL 1"));
  EXPECT_THAT(logged(), HasSubstr("worker 1 (pid 101): has said that it is done and has not ended; it gets SIGKILL"));
}

TEST_F(supervisor_stop, a_worker_that_ends_before_its_kill_arrives_is_told_as_that) {
  begin_and_serve();
  judge.on_signal(SIGTERM);
  judge.on_exit(0, exit_status::exited(0));
  pass(25s);
  say_drained(1);
  judge.on_exit(1, exit_status::exited(0));
  EXPECT_THAT(logged(), HasSubstr("worker 1 (pid 101) exited with 0 (done) after 25 s before SIGKILL reached it"));
}

TEST_F(supervisor_stop, a_worker_that_waited_for_others_in_vain_is_not_called_drained) {
  begin_and_serve();
  judge.on_signal(SIGTERM);
  say_drained(0, 0, true);
  say_drained(1, 7, true);
  judge.on_exit(0, exit_status::exited(0));
  judge.on_exit(1, exit_status::exited(0));
  EXPECT_THAT(logged(), HasSubstr("worker 0: nothing of its own was left after 0 ms, but other workers were not done"));
  EXPECT_THAT(logged(), HasSubstr("the drain was cut: 1 worker not done, 7 messages known to be given up; exit 0"));
  EXPECT_THAT(logged(), Not(HasSubstr("drained after")));
}

TEST_F(supervisor_stop, a_worker_that_gives_messages_up_is_not_called_drained) {
  begin_and_serve();
  judge.on_signal(SIGTERM);
  v1::ControlMessage message;
  message.mutable_drained()->set_unfinished_messages(3);
  judge.on_message(0, message);
  EXPECT_THAT(logged(), HasSubstr("3 messages given up, among them 0 calls of clients"));
  message.mutable_drained()->set_unfinished_calls(1);
  judge.on_message(1, message);
  EXPECT_THAT(logged(), HasSubstr("3 messages given up, among them 1 call of clients"));
  EXPECT_THAT(logged(), Not(HasSubstr("drained after")));
}

TEST_F(supervisor_stop, nobody_is_restarted_while_draining) {
  begin_and_serve();
  judge.on_signal(SIGTERM);
  (void)host.take();
  judge.on_exit(0, exit_status::signalled(SIGSEGV));
  pass(10s);
  EXPECT_THAT(host.take(), IsEmpty());
}

TEST_F(supervisor_stop, a_pending_restart_is_given_up_by_a_drain) {
  begin_and_serve();
  judge.on_exit(1, exit_status::exited(1));
  judge.on_exit(1, exit_status::exited(1));
  ASSERT_EQ(state(1), worker_state::down);
  (void)host.take();
  judge.on_signal(SIGTERM);
  pass(10s);
  EXPECT_THAT(host.take(), ElementsAre("drain 0"));
}

TEST_F(supervisor_stop, a_worker_that_has_not_served_yet_is_not_drained_but_ended) {
  judge.begin();
  become_ready(0);
  (void)host.take();
  judge.on_signal(SIGTERM);
  EXPECT_THAT(host.take(), ElementsAre("drain 0", "SIGKILL 1"));
}

TEST_F(supervisor_stop, a_worker_that_cannot_be_told_to_drain_is_killed) {
  begin_and_serve();
  host.reachable = false;
  judge.on_signal(SIGTERM);
  EXPECT_THAT(host.take(), ElementsAre("SIGKILL 0", "SIGKILL 1"));
}

TEST_F(supervisor_stop, a_worker_that_hangs_while_draining_is_found) {
  begin_and_serve();
  judge.on_signal(SIGTERM);
  (void)host.take();
  pass(2100ms, 1);
  EXPECT_THAT(host.take(), ElementsAre("SIGABRT 1"));
}

TEST_F(supervisor_stop, int_quits_at_once_and_exits_with_0) {
  begin_and_serve();
  judge.on_signal(SIGINT);
  EXPECT_THAT(host.take(), ElementsAre("quit 0", "quit 1"));
  judge.on_exit(0, exit_status::exited(0));
  judge.on_exit(1, exit_status::exited(0));
  EXPECT_EQ(judge.exit_code(), 0);
}

TEST_F(supervisor_stop, quit_is_a_quick_stop_too) {
  begin_and_serve();
  judge.on_signal(SIGQUIT);
  EXPECT_THAT(host.take(), ElementsAre("quit 0", "quit 1"));
  EXPECT_THAT(logged(), HasSubstr("SIGQUIT: quitting at once"));
}

TEST_F(supervisor_stop, a_worker_that_cannot_be_told_to_quit_is_killed) {
  begin_and_serve();
  host.reachable = false;
  judge.on_signal(SIGINT);
  EXPECT_THAT(host.take(), ElementsAre("SIGKILL 0", "SIGKILL 1"));
}

TEST_F(supervisor_stop, usr1_is_answered_and_changes_nothing) {
  begin_and_serve();
  judge.on_signal(SIGUSR1);
  EXPECT_THAT(host.take(), IsEmpty());
  EXPECT_THAT(logged(), HasSubstr("SIGUSR1 is ignored"));
}

TEST_F(supervisor_stop, whoever_ignores_a_quick_quit_is_killed_half_a_second_later) {
  begin_and_serve();
  judge.on_signal(SIGINT);
  judge.on_exit(0, exit_status::exited(0));
  (void)host.take();
  pass(499ms);
  EXPECT_THAT(host.take(), IsEmpty());
  pass(1ms);
  EXPECT_THAT(host.take(), ElementsAre("SIGKILL 1"));
}

TEST_F(supervisor_stop, a_second_term_quits_at_once) {
  begin_and_serve();
  judge.on_signal(SIGTERM);
  (void)host.take();
  judge.on_signal(SIGTERM);
  EXPECT_THAT(host.take(), ElementsAre("quit 0", "quit 1"));
  EXPECT_EQ(judge.ready().reason, "stopping");
}

TEST_F(supervisor_stop, an_impatient_second_int_kills_at_once) {
  begin_and_serve();
  judge.on_signal(SIGINT);
  (void)host.take();
  judge.on_signal(SIGINT);
  EXPECT_THAT(host.take(), ElementsAre("SIGKILL 0", "SIGKILL 1"));
}

TEST_F(supervisor_stop, a_process_that_does_not_die_of_sigkill_is_left_behind_after_five_seconds) {
  begin_and_serve();
  judge.on_signal(SIGINT);
  pass(5'400ms);
  EXPECT_FALSE(judge.exit_code());
  pass(300ms);
  EXPECT_EQ(judge.exit_code(), exit_codes::internal_failure);
}

TEST_F(supervisor_stop, term_with_nobody_alive_ends_at_once) {
  begin_and_serve();
  for (const std::uint32_t slot : {0U, 1U}) {
    judge.on_exit(slot, exit_status::exited(1));
    judge.on_exit(slot, exit_status::exited(1));
  }
  judge.on_signal(SIGTERM);
  EXPECT_EQ(judge.exit_code(), 0);
}

TEST_F(supervisor_stop, hup_is_answered_and_changes_nothing) {
  begin_and_serve();
  judge.on_signal(SIGHUP);
  EXPECT_THAT(host.take(), IsEmpty());
  EXPECT_TRUE(judge.ready().ready);
  EXPECT_THAT(logged(), HasSubstr("SIGHUP is ignored: reloading without a restart comes in a later version"));
}

}  // namespace
}  // namespace grove::server
