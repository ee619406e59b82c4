// SPDX-License-Identifier: Apache-2.0
#include "worker/io/signals.h"

#include <signal.h>
#include <sys/time.h>

#include <stdexcept>
#include <system_error>
#include <thread>

#include "tests/support/hub_fixture.h"
#include "tests/unit/io/io_fixture.h"
#include "worker/tasks/task.h"

namespace grove {
namespace {

using namespace std::chrono_literals;
using handler = void (*)(int);

handler disposition_of(int signal) {
  struct sigaction now {};
  ::sigaction(signal, nullptr, &now);
  return now.sa_handler;
}

/// SIGUSR1 and SIGUSR2 are ignored before and after each test.
class signals : public hub_fixture {
 protected:
  signals() {
    ::signal(SIGUSR1, SIG_IGN);
    ::signal(SIGUSR2, SIG_IGN);
  }
  void TearDown() override {
    hub_fixture::TearDown();
    EXPECT_EQ(disposition_of(SIGUSR1), SIG_IGN);
    EXPECT_EQ(disposition_of(SIGUSR2), SIG_IGN);
  }
};

TEST_F(signals, run_their_handler_in_a_greenlet_of_its_own) {
  std::vector<int> seen;
  const greenlet* ran_in = nullptr;
  const signal_handle one = on_signal(SIGUSR1, [&](int number) {
    seen.push_back(number);
    ran_in = &greenlet::current();
    sleep_for(1s);
    seen.push_back(-number);
  });
  ::raise(SIGUSR1);
  EXPECT_TRUE(seen.empty()) << "nothing runs in the signal's own context";
  loop.run_ready();
  EXPECT_EQ(seen, std::vector{SIGUSR1});
  EXPECT_NE(ran_in, &loop.hub_greenlet());
  ::raise(SIGUSR1);
  loop.run_ready();
  EXPECT_EQ(seen, (std::vector{SIGUSR1, SIGUSR1})) << "handlers overlap";
  advance(1s);
  EXPECT_EQ(seen, (std::vector{SIGUSR1, SIGUSR1, -SIGUSR1, -SIGUSR1}));
}

TEST_F(signals, of_one_number_coalesce_until_the_hub_looks) {
  int calls = 0;
  const signal_handle one = on_signal(SIGUSR1, [&] { ++calls; });
  for (int i = 0; i < 3; ++i)
    ::raise(SIGUSR1);
  loop.run_ready();
  EXPECT_EQ(calls, 1);
}

TEST_F(signals, reach_every_handler_of_theirs_and_no_other) {
  std::string order;
  const signal_handle first = on_signal(SIGUSR1, [&] { order += "a"; });
  const signal_handle second = on_signal(SIGUSR1, [&] { order += "b"; });
  const signal_handle other = on_signal(SIGUSR2, [&] { order += "c"; });
  ::raise(SIGUSR1);
  loop.run_ready();
  EXPECT_EQ(order, "ab");
}

TEST_F(signals, get_their_disposition_back_when_the_last_handle_is_gone) {
  signal_handle first = on_signal(SIGUSR1, [] {});
  signal_handle second = on_signal(SIGUSR1, [] {});
  first.reset();
  EXPECT_NE(disposition_of(SIGUSR1), SIG_IGN);
  second.reset();
  EXPECT_EQ(disposition_of(SIGUSR1), SIG_IGN);
  EXPECT_FALSE(second);
}

TEST_F(signals, keep_a_disposition_that_somebody_else_has_set_meanwhile) {
  signal_handle ours = on_signal(SIGUSR1, [] {});
  ::signal(SIGUSR1, SIG_DFL);
  ours.reset();
  EXPECT_EQ(disposition_of(SIGUSR1), SIG_DFL);
  ::signal(SIGUSR1, SIG_IGN);
}

TEST_F(signals, that_came_before_the_handle_went_run_nothing_after_it) {
  int calls = 0;
  signal_handle one = on_signal(SIGUSR1, [&] { ++calls; });
  ::raise(SIGUSR1);
  one.reset();
  loop.run_ready();
  EXPECT_EQ(calls, 0);
}

TEST_F(signals, may_take_their_handle_away_in_the_handler) {
  signal_handle one;
  bool done = false;
  one = on_signal(SIGUSR1, [&, held = std::make_shared<int>(7)] {
    one.reset();
    sleep_for(1s);
    done = *held == 7;
  });
  ::raise(SIGUSR1);
  loop.run_ready();
  advance(1s);
  EXPECT_TRUE(done);
}

TEST_F(signals, report_what_a_handler_throws) {
  const signal_handle one = on_signal(SIGUSR1, [] { throw std::runtime_error("no"); });
  ::raise(SIGUSR1);
  loop.run_ready();
  expected_errors = {"a spawned greenlet: no"};
}

TEST_F(signals, that_cannot_be_handled_are_refused) {
  for (const int number : {SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, 0, -1, 65})
    EXPECT_THROW((void)on_signal(number, [] {}), std::system_error) << number;
}

TEST_F(signals, are_waited_for) {
  auto task = spawn([&] { return wait_signal({SIGUSR1, SIGUSR2}); });
  auto late = spawn([&] { return wait_signal({SIGUSR1}, time_after(loop.now(), 1s)); });
  loop.run_ready();
  ::raise(SIGUSR2);
  loop.run_ready();
  EXPECT_EQ(task->get(), SIGUSR2);
  advance(1s);
  EXPECT_EQ(late->get(), std::nullopt);
  auto killed = spawn([&] { wait_signal({SIGUSR1}); });
  loop.run_ready();
  killed->kill(kill_mode::do_not_wait);
  loop.run_ready();
  EXPECT_TRUE(killed->exited());
}

TEST_F(signals, are_kept_by_a_watch_until_somebody_waits) {
  signal_watch watch{SIGUSR1, SIGUSR2};
  ::raise(SIGUSR2);
  ::raise(SIGUSR1);
  loop.run_ready();
  EXPECT_EQ(watch.wait(), SIGUSR1);
  EXPECT_EQ(watch.wait(loop.now()), SIGUSR2);
  auto first = spawn([&] { return watch.wait(); });
  auto second = spawn([&] { return watch.wait(time_after(loop.now(), 1s)); });
  loop.run_ready();
  ::raise(SIGUSR1);
  loop.run_ready();
  EXPECT_EQ(first->get(), SIGUSR1);
  advance(1s);
  EXPECT_EQ(second->get(), std::nullopt);
}

TEST_F(signals, reach_the_hubs_of_all_threads) {
  int here = 0;
  const signal_handle one = on_signal(SIGUSR1, [&] { ++here; });
  std::thread([&] {
    hub other(time);
    int there = 0;
    const signal_handle two = on_signal(SIGUSR1, [&] { ++there; });
    ::raise(SIGUSR1);
    other.run_ready();
    EXPECT_EQ(there, 1);
  }).join();
  loop.run_ready();
  EXPECT_EQ(here, 1);
}

TEST_F(signals, let_a_handle_outlive_its_hub) {
  signal_handle left;
  std::thread([&] {
    hub other(time);
    left = on_signal(SIGUSR2, [] {});
  }).join();
  EXPECT_EQ(disposition_of(SIGUSR2), SIG_IGN);
  left.reset();
}

TEST_F(io_fixture, a_signal_wakes_a_hub_that_sleeps) {
  in_greenlet([&] {
    const signal_watch held{SIGALRM};
    signal_watch watch{SIGALRM};
    const itimerval soon{.it_interval = {}, .it_value = {.tv_sec = 0, .tv_usec = 1000}};
    ASSERT_EQ(::setitimer(ITIMER_REAL, &soon, nullptr), 0);
    EXPECT_EQ(watch.wait(time_after(loop.now(), 30s)), SIGALRM);
  });
}

}  // namespace
}  // namespace grove
