// SPDX-License-Identifier: Apache-2.0
// A server that is cared for from outside, well or badly: nobody reads its log, its descriptors are closed, signals reach
// all of its processes, its supervisor is killed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "tests/support/kept_port.h"
#include "tests/support/requests.h"
#include "tests/support/server_process.h"
#include "tests/support/wire_client.h"
#include "worker/greenlet/sanitizer.h"

namespace grove::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

/// Far more than anything here takes, so that a slow machine does not fail.
constexpr std::chrono::seconds patience{60};

unique_fd open_process(pid_t pid) {
  return unique_fd{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))};
}

/// Whether a process ends in time. Its output is not read.
bool ends(const unique_fd& process) {
  pollfd ended{.fd = process.get(), .events = POLLIN, .revents = 0};
  return ::poll(&ended, 1, static_cast<int>(std::chrono::milliseconds{patience}.count())) == 1;
}

/// A call that takes so long is under way when this returns.
void begin_call(wire_client& client, std::uint64_t id, std::chrono::milliseconds lasts) {
  const v1::Welcome welcome = client.greet();
  const std::string key = keys_of(welcome, "grove.Echo", welcome.worker(), 1).front();
  client.send(sleep_request(id, key, static_cast<std::uint32_t>(lasts.count())));
  // The answer to this ping comes after the request before it was taken.
  v1::Envelope ping;
  ping.mutable_ping()->set_nonce(1);
  client.send(ping);
  ASSERT_TRUE(client.next().has_pong());
}

/// Sends a signal as systemd, killall and the stop of a cgroup do: to every process, in any order.
void signal_all(server_process& server, const std::vector<pid_t>& workers, int number) {
  for (const pid_t pid : workers)
    ::kill(pid, number);
  server.process().signal(number);
}

std::vector<pid_t> worker_pids(const server_process& server, unsigned workers) {
  std::vector<pid_t> pids;
  for (unsigned slot = 0; slot < workers; ++slot)
    pids.push_back(server.worker_pid(slot));
  return pids;
}

TEST(stalled_log, holds_up_neither_restarts_nor_answers_nor_the_stop) {
  // As much as a pipe holds at least: a few restarts fill it.
  server_process server{{.workers = 2, .more = {"--restart-budget", "1000"}, .err_pipe_bytes = 4096}};
  wire_client survivor{server.address()};
  survivor.greet(0);
  constexpr int deaths = 12;
  for (int death = 1; death <= deaths; ++death) {
    ::kill(server.worker_pid(1), SIGKILL);
    wait_for_page(server.admin(), "/metrics",
                  "grove_worker_generation{worker=\"1\"} " + std::to_string(death + 1) + "\n");
    wait_for_page(server.admin(), "/metrics", "grove_worker_up{worker=\"1\"} 1\n");
  }
  EXPECT_THAT(http_get(server.admin(), "/livez"), HasSubstr("200"));
  wire_client client{server.address()};
  begin_call(client, 7, 1'000ms);
  const unique_fd process = open_process(server.process().pid());
  server.process().signal(SIGTERM);
  ASSERT_TRUE(client.next().has_drain());
  EXPECT_EQ(client.next().response().code(), 0U) << "workers log that they drain, and drain";
  EXPECT_TRUE(ends(process));
  EXPECT_EQ(server.process().wait().exit.code, 0);
}

TEST(stalled_log, is_whole_up_to_where_its_reader_stopped_and_goes_on_there) {
  server_process server{{.workers = 1, .more = {"--restart-budget", "1000"}, .err_pipe_bytes = 4096}};
  for (int death = 1; death <= 12; ++death) {
    ::kill(server.worker_pid(0), SIGKILL);
    wait_for_page(server.admin(), "/metrics",
                  "grove_worker_generation{worker=\"0\"} " + std::to_string(death + 1) + "\n");
  }
  // Far less than what is kept for a reader, so nothing is missing.
  for (int generation = 2; generation <= 13; ++generation)
    server.process().wait_for_line("generation " + std::to_string(generation));
  EXPECT_THAT(http_get(server.admin(), "/metrics"), HasSubstr("grove_supervisor_log_lines_dropped_total 0\n"));
  EXPECT_EQ(server.stop().exit.code, 0);
}

TEST(stalled_log, does_not_keep_a_crashing_worker_alive) {
#ifdef GROVE_TSAN
  GTEST_SKIP()
      << "ThreadSanitizer lets handlers of signals run only where the program calls a function that it watches";
#endif
  // Nothing but its own end ends it.
  server_process server{
      {.workers = 1, .more = {"--restart-budget", "1000", "--hang-timeout", "off"}, .err_pipe_bytes = 4096}};
  for (int generation = 2; generation <= 14; ++generation) {
    ::kill(server.worker_pid(0), generation == 14 ? SIGABRT : SIGKILL);
    wait_for_page(server.admin(), "/metrics",
                  "grove_worker_generation{worker=\"0\"} " + std::to_string(generation) + "\n");
    wait_for_page(server.admin(), "/metrics", "grove_worker_up{worker=\"0\"} 1\n");
  }
  server.process().wait_for_line("died of signal 6 (SIGABRT)");
  EXPECT_EQ(server.stop().exit.code, 0);
}

/// A shell's redirections.
struct closed_descriptors : testing::TestWithParam<const char*> {};

TEST_P(closed_descriptors, do_no_harm) {
  const kept_port clients;
  const kept_port pages;
  child_process server{{.arguments = {"/bin/sh", "-c",
                                      "exec " + server_program() + " --listen " + clients.address() + " --admin " +
                                          pages.address() + " --workers 2 --pin off " + GetParam()},
                        .environment = {{"GROVE_HANG_TIMEOUT", "30s"}, {"GROVE_START_TIMEOUT", "60s"}}}};
  wait_for_page(pages.address(), "/readyz", "2 of 2 workers up");
  wire_client client{clients.address()};
  client.greet();
  EXPECT_EQ(client.call("grove.Counter", "x", "Add", "").code(), 0U);
  const finished_process ps = run(
      {.arguments = {"/bin/sh", "-c", "exec " + cli_program() + " --server " + clients.address() + " ps <&- 2>&-"}});
  EXPECT_EQ(ps.exit.code, 0);
  EXPECT_THAT(ps.out, HasSubstr("up"));
  const unique_fd process = open_process(server.pid());
  server.signal(SIGTERM);
  EXPECT_TRUE(ends(process));
  EXPECT_EQ(server.wait().exit, (exit_result{.code = 0, .signal = 0}));
}

INSTANTIATE_TEST_SUITE_P(of_a_server, closed_descriptors,
                         testing::Values("<&- >&- 2>&-", "2>&-", "<&-", "<&- 2>&-", ">&-"),
                         [](const auto& which) { return "shape_" + std::to_string(which.index); });

TEST(signal_to_all_processes, term_lets_a_call_finish) {
  server_process server{{.workers = 2}};
  wire_client client{server.address()};
  begin_call(client, 7, 2'000ms);
  signal_all(server, worker_pids(server, 2), SIGTERM);
  ASSERT_TRUE(client.next().has_drain());
  const v1::Response answer = client.next().response();
  EXPECT_EQ(answer.id(), 7U);
  EXPECT_EQ(answer.code(), 0U);
  const finished_process end = server.process().wait();
  EXPECT_EQ(end.exit.code, 0);
  EXPECT_THAT(end.err, HasSubstr("worker 0: drained after"));
  EXPECT_THAT(end.err, HasSubstr("worker 1: drained after"));
}

struct harmless_signal : testing::TestWithParam<int> {};

TEST_P(harmless_signal, to_all_processes_leaves_the_server_serving) {
  server_process server{{.workers = 2}};
  wire_client client{server.address()};
  begin_call(client, 7, 500ms);
  signal_all(server, worker_pids(server, 2), GetParam());
  EXPECT_EQ(client.next().response().code(), 0U);
  const finished_process end = server.stop();
  EXPECT_EQ(end.exit.code, 0);
  EXPECT_THAT(end.err, Not(HasSubstr("generation 2")));
}

INSTANTIATE_TEST_SUITE_P(sent, harmless_signal, testing::Values(SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE));

struct quick_stop : testing::TestWithParam<int> {};

TEST_P(quick_stop, ends_the_workers_by_an_order_and_not_by_a_signal) {
  server_process server{{.workers = 2}};
  wire_client client{server.address()};
  begin_call(client, 7, 60'000ms);
  signal_all(server, worker_pids(server, 2), GetParam());
  const finished_process end = server.process().wait();
  EXPECT_EQ(end.exit, (exit_result{.code = 0, .signal = 0}));
  EXPECT_THAT(end.err, Not(HasSubstr("died of signal")));
}

INSTANTIATE_TEST_SUITE_P(by, quick_stop, testing::Values(SIGINT, SIGQUIT));

TEST(drain_with_a_call_that_outlives_it, ends_the_worker_as_a_quick_stop_does) {
  for (const bool by_a_second_signal : {false, true}) {
    server_process server{{.workers = 1, .more = {"--drain-timeout", by_a_second_signal ? "60s" : "1s"}}};
    wire_client client{server.address()};
    begin_call(client, 7, 60'000ms);
    server.process().signal(SIGTERM);
    ASSERT_TRUE(client.next().has_drain());
    if (by_a_second_signal) server.process().signal(SIGTERM);
    const finished_process end = server.process().wait();
    EXPECT_EQ(end.exit, (exit_result{.code = 0, .signal = 0}));
    EXPECT_THAT(end.err, Not(HasSubstr("died of signal")));
  }
}

TEST(server_that_waits_for_its_address, is_stopped_by_term_as_one_that_serves) {
  const kept_port port;
  server_process holder{{.workers = 1, .listen = port.address()}};
  child_process waiting{
      {.arguments = {server_program(), "--listen", port.address(), "--admin", "off"}, .environment = {}, .input = {}}};
  waiting.wait_for_line("is in use");
  waiting.signal(SIGTERM);
  const finished_process end = waiting.wait();
  EXPECT_EQ(end.exit, (exit_result{.code = 0, .signal = 0}));
  EXPECT_THAT(end.err, HasSubstr("stopped by signal 15 (SIGTERM) before it served"));
  EXPECT_EQ(holder.stop().exit.code, 0);
}

struct killed_supervisor : testing::TestWithParam<bool> {};

TEST_P(killed_supervisor, is_followed_by_another_at_the_same_address_at_once) {
  const kept_port port;
  server_process first{{.workers = 2, .listen = port.address()}};
  wire_client client{port.address()};
  begin_call(client, 7, 60'000ms);
  if (GetParam()) send_spins(client, "busy", 20);
  std::vector<unique_fd> orphans;
  for (const pid_t pid : worker_pids(first, 2))
    orphans.push_back(open_process(pid));
  first.process().signal(SIGKILL);
  server_process second{{.workers = 2, .listen = port.address()}};
  wire_client to_second{port.address()};
  to_second.greet();
  EXPECT_EQ(to_second.call("grove.Counter", "x", "Add", "").code(), 0U);
  for (const unique_fd& orphan : orphans)
    EXPECT_TRUE(ends(orphan));
  EXPECT_EQ(second.stop().exit.code, 0);
}

INSTANTIATE_TEST_SUITE_P(with, killed_supervisor, testing::Bool(),
                         [](const auto& busy) { return busy.param ? "a_busy_worker" : "a_call_under_way"; });

}  // namespace
}  // namespace grove::test
