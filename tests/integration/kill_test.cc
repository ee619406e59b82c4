// SPDX-License-Identifier: Apache-2.0
// A worker is killed while it works: its own calls fail, each with its class; the others' do not notice.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <asio/use_future.hpp>
#include <atomic>
#include <future>
#include <latch>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "client/client.h"
#include "grove/v1/builtin.pb.h"
#include "tests/support/requests.h"
#include "tests/support/server_process.h"
#include "tests/support/wire_client.h"

namespace grove::test {
namespace {

using testing::HasSubstr;

constexpr std::uint32_t victim = 1;
constexpr std::uint32_t survivor = 0;

/// Adds to counters of one worker, one call at a time, until it is told to stop.
struct load {
  std::uint64_t acknowledged = 0;
  std::map<std::uint32_t, int> errors_by_outcome;  ///< Of calls that were answered.
  int lost_connections = 0;

  void run(const std::string& address, std::uint32_t slot, const std::vector<std::string>& keys, std::latch& served,
           const std::atomic<bool>& stop) {
    bool told = false;
    while (!stop) {
      try {
        wire_client client{address};
        client.greet(slot);
        for (std::size_t i = 0; !stop; i = (i + 1) % keys.size()) {
          const v1::Response response = client.call("grove.Counter", keys[i], "Add", "");
          if (!std::exchange(told, true)) served.count_down();
          if (response.code() == 0) {
            ++acknowledged;
          } else {
            ++errors_by_outcome[static_cast<std::uint32_t>(response.outcome())];
          }
        }
      } catch (const std::exception&) {
        ++lost_connections;
      }
    }
  }
};

TEST(killed_worker, fails_only_its_own_calls_and_comes_back) {
  server_process server{{.workers = 2}};
  wire_client probe{server.address()};
  const v1::Welcome welcome = probe.greet(survivor);
  const pid_t pid = server.worker_pid(victim);
  const auto survivor_keys = keys_of(welcome, "grove.Counter", survivor, 10);
  const auto victim_keys = keys_of(welcome, "grove.Counter", victim, 10);

  std::atomic<bool> stop = false;
  load on_survivor;
  load on_victim;
  load through_survivor;  // Calls of the victim's actors that the survivor passes on.
  // Until a connection has been handed over to the worker that it wants, its end is that of whoever accepted it.
  std::latch served(3);
  std::vector<std::thread> threads;
  threads.emplace_back([&] { on_survivor.run(server.address(), survivor, survivor_keys, served, stop); });
  threads.emplace_back([&] { on_victim.run(server.address(), victim, victim_keys, served, stop); });
  threads.emplace_back([&] { through_survivor.run(server.address(), survivor, victim_keys, served, stop); });

  served.wait();
  // One call through the survivor is certain to be cut: an answered one after it proves that it runs.
  const std::string asleep = keys_of(welcome, "grove.Echo", victim, 1).front();
  probe.send(sleep_request(9, asleep, 60'000));
  EXPECT_EQ(probe.call("grove.Echo", asleep, "Echo", "").code(), 0U);
  ::kill(pid, SIGKILL);
  const std::string death = server.process().wait_for_line("SIGKILL");
  const std::string back = server.process().wait_for_line("worker 1: ready");
  stop = true;
  for (std::thread& t : threads)
    t.join();

  EXPECT_THAT(death, HasSubstr("worker 1"));
  EXPECT_GT(on_survivor.acknowledged, 0U);
  EXPECT_EQ(on_survivor.errors_by_outcome.size(), 0U) << "calls to the other worker all succeed";
  EXPECT_EQ(on_survivor.lost_connections, 0);
  EXPECT_EQ(through_survivor.lost_connections, 0) << "the survivor's connections live on";
  const v1::Response cut = probe.receive()->response();
  EXPECT_EQ(cut.id(), 9U);
  EXPECT_EQ(cut.code(), 14U);
  EXPECT_EQ(cut.outcome(), v1::OUTCOME_UNKNOWN);
  // Whether others met the death is chance; each that did has its class.
  for (const auto& [outcome, count] : through_survivor.errors_by_outcome) {
    EXPECT_NE(outcome, static_cast<std::uint32_t>(v1::OUTCOME_UNSPECIFIED)) << count << " calls without a class";
    EXPECT_NE(outcome, static_cast<std::uint32_t>(v1::OUTCOME_EXECUTED));
  }

  // The victim's successor serves, and `grove ps` shows the restart.
  wire_client after{server.address()};
  EXPECT_EQ(after.greet(victim).worker(), victim);
  EXPECT_EQ(after.call("grove.Counter", victim_keys[0], "Add", "").code(), 0U);
  EXPECT_NE(server.worker_pid(victim), pid);
  const finished_process ps = server.cli({"ps"});
  EXPECT_THAT(ps.out, HasSubstr("SIGKILL"));
  EXPECT_EQ(server.stop().exit.code, 0);
}

TEST(killed_worker, makes_the_client_library_say_that_a_cut_call_may_have_run) {
  server_process server{{.workers = 1}};
  const pid_t pid = server.worker_pid(0);
  client_options options;
  options.servers = {server_address{.host = "127.0.0.1", .port = server.port()}};
  client through{options};
  v1::EchoSleepRequest sleep;
  sleep.set_milliseconds(60'000);
  std::future<call_result> cut =
      through.async_call("grove.Echo", "x", "Sleep", sleep.SerializeAsString(), {}, asio::use_future);
  // It came after the sleep over the same connection, so that one runs.
  ASSERT_TRUE(through.call("grove.Echo", "x", "Echo", "").ok());
  ::kill(pid, SIGKILL);
  const call_result end = cut.get();
  EXPECT_EQ(end.status.code(), status_code::unavailable) << end.status.to_string();
  EXPECT_EQ(end.outcome, outcome::unknown);
  EXPECT_TRUE(through.call("grove.Echo", "x", "Echo", "").ok()) << "it finds the successor by itself";
}

TEST(killed_worker, is_named_with_what_it_was_running) {
  server_process server{{.workers = 1}};
  const pid_t pid = server.worker_pid(0);
  wire_client client{server.address()};
  client.greet();
  send_spins(client, "busy", 20);
  // The stall is reported from within a turn, and the spins after it keep the worker busy until the kill comes.
  server.process().wait_for_line("grove.Echo/busy Spin");
  ::kill(pid, SIGKILL);
  EXPECT_THAT(server.process().wait_for_line("SIGKILL"), HasSubstr("grove.Echo/busy Spin"));
}

TEST(busy_worker, is_not_taken_for_one_that_hangs) {
  server_process server{{.workers = 1, .more = {"--hang-timeout", "2500ms"}}};
  const finished_process load = server.cli({"bench", "--type", "grove.Echo", "--method", "Spin", "--payload",
                                            R"({"microseconds":200})", "--depth", "4", "--duration", "5s"});
  EXPECT_EQ(load.exit.code, 0) << load.err << load.out;
  EXPECT_THAT(server.stop().err, testing::Not(HasSubstr("hangs")));
}

TEST(hanging_worker, says_what_it_runs_and_where_and_is_replaced_while_others_serve) {
  // Shorter than a spin, and longer than a busy machine keeps the other worker from running.
  server_process server{{.workers = 2, .more = {"--hang-timeout", "800ms", "--kill-after-abort", "60s"}}};
  wire_client to_survivor{server.address()};
  const v1::Welcome welcome = to_survivor.greet(survivor);
  wire_client to_victim{server.address()};
  ASSERT_EQ(to_victim.greet(victim).worker(), victim);
  const pid_t pid = server.worker_pid(victim);
  const std::string key = keys_of(welcome, "grove.Echo", victim, 1).front();
  const std::string counter = keys_of(welcome, "grove.Counter", survivor, 1).front();
  // Many, because a supervisor that gets no time at the end of one of them finds only the next; and the worker still
  // spins when the signal comes.
  send_spins(to_victim, key, 20);

  EXPECT_THAT(server.process().wait_for_line("hangs"), HasSubstr("worker 1 (pid " + std::to_string(pid) + ")"));
  EXPECT_EQ(to_survivor.call("grove.Counter", counter, "Add", "").code(), 0U);
  EXPECT_THAT(server.process().wait_for_line("died of signal 6 (SIGABRT)"), HasSubstr("worker 1"));
  // The worker's own report: whose line comes first, the supervisor's order or this, is not said.
  const std::string& told = server.process().error_text();
  EXPECT_THAT(told, HasSubstr("grove-worker " + std::to_string(pid) + ": Aborted"));
  EXPECT_THAT(told, HasSubstr("EchoActor4Spin")) << "a frame of the stack, its name mangled";
  EXPECT_THAT(told, HasSubstr("it was running grove.Echo/" + key + " Spin"));
  server.process().wait_for_line("worker 1: ready");
  EXPECT_NE(server.worker_pid(victim), pid);
  EXPECT_EQ(to_survivor.call("grove.Counter", counter, "Add", "").code(), 0U);
  wire_client to_successor{server.address()};
  EXPECT_EQ(to_successor.greet(victim).worker(), victim);
  EXPECT_EQ(to_successor.call("grove.Echo", key, "Echo", "").code(), 0U);
}

TEST(killed_worker, that_is_stopped_and_not_dead_is_replaced) {
  server_process server{{.workers = 1, .more = {"--hang-timeout", "2500ms"}}};
  const pid_t pid = server.worker_pid(0);
  ::kill(pid, SIGSTOP);
  server.process().wait_for_line("worker 0: ready");
  EXPECT_NE(server.worker_pid(0), pid);
}

}  // namespace
}  // namespace grove::test
