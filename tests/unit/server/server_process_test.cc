// SPDX-License-Identifier: Apache-2.0
// The real supervisor with real processes, sockets and signals. The time-outs here are longer than a healthy worker ever
// goes without time on a busy machine: the judgement itself is tested to the millisecond with a clock that stands still.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <regex>

#include "base/exit_codes.h"
#include "tests/unit/server/manager_socket.h"
#include "tests/unit/server/started_server.h"

namespace grove::server {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

TEST(server_process, starts_workers_says_ready_drains_on_term_and_exits_with_0) {
  started_server server;
  const std::string line = server.wait_for("ready: ");
  EXPECT_THAT(line, ContainsRegex("ready: 2 workers serve 127.0.0.1:[1-9][0-9]* \\(admin 127.0.0.1:[1-9][0-9]*\\)$"));
  server.signal(SIGTERM);
  EXPECT_EQ(server.wait_for_exit(), 0);
  EXPECT_THAT(server.log(), HasSubstr("worker 0: drained after"));
  EXPECT_THAT(server.log(), HasSubstr("worker 1: drained after"));
  EXPECT_THAT(server.log(), ContainsRegex("stopped within .*; exit 0"));
}

TEST(server_process, a_killed_worker_is_told_and_replaced_and_the_other_lives_on) {
  started_server server;
  server.wait_for("ready: ");
  const int other = server.worker_pid(0);
  ::kill(server.worker_pid(1), SIGKILL);
  EXPECT_THAT(server.wait_for("died of signal 9 (SIGKILL)"), HasSubstr("worker 1 (pid "));
  server.wait_for("worker 1: restarts at once");
  EXPECT_THAT(server.wait_for("worker 1: ready again after"), HasSubstr("generation 2"));
  EXPECT_EQ(server.worker_pid(0), other);
  EXPECT_EQ(::kill(other, 0), 0);
}

TEST(server_process, a_worker_that_dies_again_and_again_is_replaced_again_and_again) {
  started_server server{{}, {"--restart-budget=3", "--restart-budget-window=1h", "--restart-delay-max=100ms"}};
  server.wait_for("ready: ");
  for (int death = 1; death <= 4; ++death) {
    EXPECT_THAT(server.log(), Not(HasSubstr("restarts in"))) << "the budget was not used up before death " << death;
    ::kill(server.worker_pid(1), SIGKILL);
    server.wait_for("worker 1: ready again after");
  }
  EXPECT_THAT(server.log(), HasSubstr(": it has died 4 times within 1h"));
}

TEST(server_process, connections_wait_in_the_listener_while_nobody_accepts) {
  started_server server;
  server.wait_for("ready: ");
  const unique_fd early = connect_to(server.client_port());
  ::kill(server.worker_pid(0), SIGKILL);
  ::kill(server.worker_pid(1), SIGKILL);
  server.wait_for("ready again after");
  EXPECT_TRUE(connect_to(server.client_port()));
}

TEST(server_process, a_hung_worker_dies_of_abort_and_is_named_with_its_turn) {
  // It dies of that alone: nothing else kills it.
  started_server server{{{"GROVE_TEST_WORKER_1", "hang@1"}}, {"--hang-timeout=2500ms", "--kill-after-abort=60s"}};
  EXPECT_THAT(server.wait_for("hangs: no heartbeat"), HasSubstr("while running grove.Echo/x Spin"));
  EXPECT_THAT(server.wait_for("died of signal 6 (SIGABRT)"), HasSubstr("while running grove.Echo/x Spin"));
  server.wait_for("worker 1: ready again");
}

TEST(server_process, a_hung_worker_that_ignores_abort_is_killed) {
  started_server server{{{"GROVE_TEST_WORKER_1", "deaf@1"}}, {"--hang-timeout=2500ms"}};
  server.wait_for("still lives 500 ms after SIGABRT; it gets SIGKILL");
  server.wait_for("died of signal 9 (SIGKILL)");
  server.wait_for("worker 1: ready again");
}

TEST(server_process, a_stopped_worker_is_found_and_replaced) {
  started_server server{{}, {"--hang-timeout=2500ms"}};
  server.wait_for("ready: ");
  ::kill(server.worker_pid(0), SIGSTOP);
  server.wait_for("worker 0: ready again");
}

TEST(server_process, a_worker_that_never_gets_ready_is_ended) {
  started_server server{{{"GROVE_TEST_WORKER_1", "silent@1"}}, {"--start-timeout=2500ms"}};
  server.wait_for("is not ready after 2500ms");
  server.wait_for("ready: 2 workers");
}

TEST(server_process, a_worker_that_drops_its_control_socket_is_replaced) {
  started_server server{{{"GROVE_TEST_WORKER_1", "close@1"}}};
  server.wait_for("has closed its control socket and lives on; it is killed");
  server.wait_for("worker 1: ready again");
}

TEST(server_process, workers_that_cannot_start_are_a_crash_loop_with_exit_code_72) {
  started_server server{{{"GROVE_TEST_WORKER", "exit:3"}}, {"--max-restarts=2"}};
  EXPECT_EQ(server.wait_for_exit(), exit_codes::crash_loop);
  EXPECT_THAT(server.log(), HasSubstr("exited with 3 after"));
  EXPECT_THAT(server.log(), HasSubstr("failed to start 3 times within 1m and no other serves: this is a crash loop"));
}

TEST(server_process, one_worker_that_cannot_start_does_not_stop_the_other) {
  started_server server{{{"GROVE_TEST_WORKER_1", "exit_alone:3"}}, {"--max-restarts=2"}};
  server.wait_for("others serve, so it is tried again");
  EXPECT_THAT(server.log(), Not(HasSubstr("giving up")));
  server.signal(SIGTERM);
  EXPECT_EQ(server.wait_for_exit(), 0);
}

TEST(server_process, workers_with_a_bad_configuration_end_the_server_with_64_and_their_reason) {
  started_server server{{{"GROVE_TEST_WORKER", "fail"}}};
  EXPECT_EQ(server.wait_for_exit(), exit_codes::bad_configuration);
  EXPECT_THAT(server.log(), HasSubstr("cannot serve: there is nothing to serve"));
  EXPECT_THAT(server.log(), Not(HasSubstr("restarts")));
}

TEST(server_process, a_worker_of_another_version_is_refused) {
  started_server server{{{"GROVE_TEST_WORKER", "version"}}};
  EXPECT_EQ(server.wait_for_exit(), exit_codes::bad_configuration);
  EXPECT_THAT(server.log(), HasSubstr("is of version 9.9.9, this server of"));
}

TEST(server_process, a_worker_that_does_not_drain_is_killed_after_the_timeout) {
  started_server server{{{"GROVE_TEST_WORKER_0", "stubborn"}}, {"--drain-timeout=2500ms"}};
  server.wait_for("ready: ");
  server.signal(SIGTERM);
  EXPECT_EQ(server.wait_for_exit(), 0);
  EXPECT_THAT(server.log(), ContainsRegex("worker 0 \\(pid [0-9]+\\): not drained within 2500ms; it gets SIGKILL"));
}

TEST(server_process, a_second_term_quits_though_a_worker_does_not_want_to) {
  started_server server{{{"GROVE_TEST_WORKER", "stubborn"}}};
  server.wait_for("ready: ");
  server.signal(SIGTERM);
  server.wait_for("SIGTERM: draining 2 workers for up to 25s");
  server.signal(SIGTERM);
  EXPECT_EQ(server.wait_for_exit(), 0);
  EXPECT_THAT(server.log(), HasSubstr("SIGTERM while draining: quitting at once"));
}

TEST(server_process, int_quits_at_once) {
  started_server server;
  server.wait_for("ready: ");
  server.signal(SIGINT);
  EXPECT_EQ(server.wait_for_exit(), 0);
  EXPECT_THAT(server.log(), HasSubstr("SIGINT: quitting at once"));
}

TEST(server_process, hup_usr1_usr2_and_pipe_do_no_harm) {
  started_server server;
  server.wait_for("ready: ");
  server.signal(SIGPIPE);
  server.signal(SIGHUP);
  server.wait_for("SIGHUP is ignored: reloading without a restart comes in a later version");
  server.signal(SIGUSR1);
  server.wait_for("SIGUSR1 is ignored");
  server.signal(SIGUSR2);
  server.wait_for("SIGUSR2 is ignored: upgrading the program in place comes in a later version");
  server.signal(SIGTERM);
  EXPECT_EQ(server.wait_for_exit(), 0);
}

TEST(server_process, when_the_supervisor_is_killed_its_workers_end_too) {
  started_server server;
  server.wait_for("ready: ");
  server.signal(SIGKILL);
  EXPECT_EQ(server.wait_for_exit(), 128 + SIGKILL);  // Returns when nobody holds the log open any more.
}

TEST(server_process, a_taken_port_ends_it_with_71_and_says_what_to_do) {
  started_server first;
  first.wait_for("ready: ");
  const std::string taken = "127.0.0.1:" + std::to_string(first.client_port());
  started_server second{{}, {"--listen", taken}};
  EXPECT_EQ(second.wait_for_exit(), exit_codes::cannot_listen);
  EXPECT_THAT(second.log(), HasSubstr("cannot listen on " + taken + ": the address is already in use"));
}

TEST(server_process, a_missing_worker_program_ends_it_with_64) {
  started_server server{{{"GROVE_TEST_WORKER_PROGRAM", "/nonexistent/grove-worker"}}};
  EXPECT_EQ(server.wait_for_exit(), exit_codes::bad_configuration);
  EXPECT_THAT(server.log(),
              HasSubstr("$GROVE_TEST_WORKER_PROGRAM is '/nonexistent/grove-worker', which is no program"));
}

TEST(server_process, a_wrong_option_ends_it_with_64) {
  started_server server{{}, {"--wrokers=2"}};
  EXPECT_EQ(server.wait_for_exit(), exit_codes::bad_configuration);
  EXPECT_THAT(server.log(), HasSubstr("flag --wrokers: there is no such option; did you mean --workers?"));
}

TEST(server_process, tells_its_service_manager_when_it_serves_lives_and_stops) {
  const manager_socket manager;
  started_server server{{{"NOTIFY_SOCKET", manager.address()}, {"WATCHDOG_USEC", "1000000"}}, {"--drain-timeout=50s"}};
  manager.wait_for("STATUS=2 of 2 workers up\nREADY=1\n");
  manager.wait_for("WATCHDOG=1\n");
  manager.wait_for("WATCHDOG=1\n");
  server.signal(SIGTERM);
  manager.wait_for("STATUS=draining\nSTOPPING=1\nEXTEND_TIMEOUT_USEC=55500000\n");
  EXPECT_EQ(server.wait_for_exit(), 0);
}

TEST(server_process, a_limit_on_the_size_of_files_below_the_shared_memory_is_named_with_what_is_needed) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit low{1U << 20U, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &low), 0);
  started_server server;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_EQ(server.wait_for_exit(), exit_codes::bad_configuration);
  EXPECT_THAT(server.log(), ContainsRegex("share [0-9]+ KiB of memory.* is 1024 KiB: raise it \\(ulimit -f [0-9]+, "
                                          "LimitFSIZE=[0-9]+K in a systemd unit\\)"));
}

}  // namespace
}  // namespace grove::server
