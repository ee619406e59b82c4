// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/server/supervisor_fixture.h"

namespace grove::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class supervisor_restart : public supervisor_fixture {};

TEST_F(supervisor_restart, a_dead_worker_is_marked_down_and_replaced_at_once_in_the_same_slot) {
  begin_and_serve();
  judge.on_exit(1, exit_status::signalled(SIGKILL));
  EXPECT_THAT(host.take(), ElementsAre("start 1"));
  EXPECT_EQ(state(1), worker_state::starting);
  EXPECT_EQ(state(0), worker_state::up);
  const worker_slot& slot = segment.slot(1);
  EXPECT_EQ(slot.generation.load(), 2U);
  EXPECT_EQ(slot.restarts.load(), 1U);
  EXPECT_EQ(slot.pid.load(), 102);
  EXPECT_THAT(slot.last_exit.read(), HasSubstr("died of signal 9 (SIGKILL)"));
  become_ready(1);
  EXPECT_THAT(logged(), HasSubstr("worker 1: ready again after 0 ms (pid 102, core 1, generation 2"));
}

TEST_F(supervisor_restart, a_death_is_told_with_what_the_worker_was_running) {
  begin_and_serve();
  worker_slot& slot = segment.slot(1);
  slot.names.write("grove.Counter\tAdd\ngrove.Echo\tEcho\tSleep\tSpin");
  slot.flight.running(5, 1, 2, "x", 0, 0, 0);
  time.advance(12s);
  judge.on_exit(1, exit_status::signalled(SIGSEGV));
  EXPECT_THAT(logged(), HasSubstr("error worker 1 (pid 101) died of signal 11 (SIGSEGV) after 12 s while running "
                                  "grove.Echo/x Spin; a bad memory access"));
}

TEST_F(supervisor_restart, a_successor_does_not_inherit_the_flight_record) {
  begin_and_serve();
  segment.slot(1).flight.running(5, 0, 0, "x", 0, 0, 0);
  judge.on_exit(1, exit_status::signalled(SIGKILL));
  const std::size_t told = logged().size();
  judge.on_exit(1, exit_status::signalled(SIGKILL));
  EXPECT_THAT(logged().substr(told), Not(HasSubstr("while running")));
}

TEST_F(supervisor_restart, a_worker_that_served_is_back_at_once_when_it_is_killed_every_second) {
  begin_and_serve();
  for (int round = 0; round < 100; ++round) {
    judge.on_exit(1, exit_status::signalled(SIGKILL));
    EXPECT_THAT(host.take(), ElementsAre("start 1"));
    become_ready(1);
    pass(1s);
    (void)host.take();
  }
  EXPECT_THAT(logged(), Not(HasSubstr("restarts in")));
}

TEST_F(supervisor_restart, a_worker_that_dies_in_the_same_turn_again_waits_and_the_log_says_why) {
  begin_and_serve();
  segment.slot(1).names.write("grove.Echo\tSpin");
  for (const auto base : {0ms, 100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 5000ms, 5000ms}) {
    segment.slot(1).flight.running(5, 0, 0, "x", 17, 0, 0);
    judge.on_exit(1, exit_status::signalled(SIGSEGV));
    if (base > 0ms) {
      EXPECT_EQ(state(1), worker_state::down);
      pass(base - 1ms);
      EXPECT_THAT(host.take(), IsEmpty());
      pass(base / 5 + 1ms);
    }
    EXPECT_THAT(host.take(), ElementsAre("start 1"));
    become_ready(1);
    (void)host.take();
  }
  EXPECT_THAT(logged(),
              testing::ContainsRegex("worker 1: restarts in 1.. ms: grove.Echo/x Spin has ended a worker before"));
  EXPECT_FALSE(judge.exit_code());
}

TEST_F(supervisor_restart, a_start_that_fails_is_tried_again_after_a_while_and_the_log_says_why) {
  judge.begin();
  (void)host.take();
  judge.on_exit(1, exit_status::exited(70));
  EXPECT_THAT(host.take(), IsEmpty());
  EXPECT_THAT(logged(), testing::ContainsRegex("worker 1: restarts in 1.. ms: it ended before it was ready"));
}

TEST_F(supervisor_restart, sixty_healthy_seconds_make_the_next_restart_immediate) {
  begin_and_serve();
  const auto die_in_a_turn = [&] {
    segment.slot(1).flight.running(5, 0, 0, "x", 17, 0, 0);
    judge.on_exit(1, exit_status::exited(70));
  };
  for (int i = 0; i < 4; ++i) {
    die_in_a_turn();
    pass(2s);
    become_ready(1);
  }
  pass(60s);
  (void)host.take();
  die_in_a_turn();
  EXPECT_THAT(host.take(), ElementsAre("start 1"));
}

TEST_F(supervisor_restart, a_crash_loop_at_start_gives_up_with_its_own_exit_code) {
  judge.begin();
  for (int round = 0; round < 6 && !judge.exit_code(); ++round) {
    judge.on_exit(0, exit_status::exited(1));
    if (judge.workers()[1].pid != 0) judge.on_exit(1, exit_status::exited(1));
    pass(2s);
  }
  if (judge.workers()[1].pid != 0) judge.on_exit(1, exit_status::exited(0));
  EXPECT_EQ(judge.exit_code(), exit_codes::crash_loop);
  EXPECT_THAT(logged(), HasSubstr("failed to start 6 times within 1m and no other serves: this is a crash loop"));
}

TEST_F(supervisor_restart, giving_up_ends_the_workers_that_still_start) {
  judge.begin();
  (void)host.take();
  for (int round = 0; round < 6; ++round) {
    judge.on_exit(0, exit_status::exited(1));
    say_hello(1);
    if (round < 5) pass(1940ms);
  }
  EXPECT_THAT(host.take(), testing::Contains("quit 1"));
  EXPECT_FALSE(judge.exit_code());
  judge.on_exit(1, exit_status::exited(0));
  EXPECT_EQ(judge.exit_code(), exit_codes::crash_loop);
}

TEST_F(supervisor_restart, a_slot_that_cannot_start_does_not_take_down_those_that_serve) {
  begin_and_serve();
  judge.on_exit(1, exit_status::exited(1));
  for (int round = 0; round < 20; ++round) {
    pass(6s);
    judge.on_exit(1, exit_status::exited(1));
  }
  EXPECT_FALSE(judge.exit_code());
  EXPECT_TRUE(judge.ready().ready);
  EXPECT_THAT(logged(), HasSubstr("others serve, so it is tried again"));
}

TEST_F(supervisor_restart, a_program_that_cannot_be_started_is_a_crash_loop_too) {
  host.spawn_error = "cannot start grove-worker: No such file or directory";
  judge.begin();
  pass(10s);
  EXPECT_EQ(judge.exit_code(), exit_codes::crash_loop);
  EXPECT_THAT(logged(), HasSubstr("No such file or directory"));
}

TEST_F(supervisor_restart, bad_configuration_is_never_restarted_and_ends_the_server) {
  judge.begin();
  (void)host.take();
  v1::ControlMessage message;
  message.mutable_failed()->set_reason("the listener is missing");
  judge.on_message(0, message);
  judge.on_exit(0, exit_status::exited(exit_codes::bad_configuration));
  EXPECT_FALSE(judge.exit_code());
  judge.on_exit(1, exit_status::exited(exit_codes::bad_configuration));
  EXPECT_EQ(judge.exit_code(), exit_codes::bad_configuration);
  EXPECT_THAT(host.take(), IsEmpty());
  EXPECT_THAT(logged(), HasSubstr("exited with 64 (bad configuration) after 0 ms: the listener is missing"));
}

TEST_F(supervisor_restart, a_hung_worker_is_aborted_then_killed_then_replaced) {
  begin_and_serve();
  worker_slot& slot = segment.slot(1);
  slot.names.write("grove.Echo\tSpin");
  slot.flight.running(5, 0, 0, "x", 0, 0, 0);
  pass(2100ms, 1);
  EXPECT_THAT(host.take(), ElementsAre("SIGABRT 1"));
  EXPECT_THAT(logged(), HasSubstr("worker 1 (pid 101) hangs: no heartbeat for 2"));
  EXPECT_THAT(logged(), HasSubstr("while running grove.Echo/x Spin; it gets SIGABRT"));
  pass(300ms, 1);
  EXPECT_THAT(host.take(), IsEmpty());
  pass(300ms, 1);
  EXPECT_THAT(host.take(), ElementsAre("SIGKILL 1"));
  judge.on_exit(1, exit_status::signalled(SIGKILL));
  EXPECT_THAT(host.take(), ElementsAre("start 1"));
}

TEST_F(supervisor_restart, a_worker_whose_heart_beats_is_left_alone) {
  begin_and_serve();
  pass(1h);
  EXPECT_THAT(host.take(), IsEmpty());
}

TEST_F(supervisor_restart, a_supervisor_that_was_late_itself_judges_nobody) {
  begin_and_serve();
  time.advance(30s);
  judge.tick();
  EXPECT_THAT(host.take(), IsEmpty());
  pass(1900ms, 1);
  EXPECT_THAT(host.take(), IsEmpty());
  pass(200ms, 1);
  EXPECT_THAT(host.take(), ElementsAre("SIGABRT 1"));
}

TEST_F(supervisor_restart, a_late_supervisor_gives_a_starting_worker_its_time_back) {
  judge.begin();
  become_ready(0);
  (void)host.take();
  time.advance(30s);
  judge.tick();
  pass(9s);
  EXPECT_THAT(host.take(), IsEmpty());
  pass(1200ms);
  EXPECT_THAT(host.take(), ElementsAre("SIGABRT 1"));
}

}  // namespace
}  // namespace grove::server
