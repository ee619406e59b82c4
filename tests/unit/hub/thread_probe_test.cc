// SPDX-License-Identifier: Apache-2.0
#include "worker/hub/thread_probe.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <future>
#include <optional>
#include <thread>

namespace grove {
namespace {

using namespace std::chrono_literals;

/// A thread that had run for 100 ms and been ready for 50, and blocked 7 times.
constexpr thread_usage before{.ran = 100ms, .queued = 50ms, .blocked = 7, .runnable = true};

struct expected_time {
  const char* what;
  thread_usage before;
  thread_usage now;
  steady_duration unscheduled;
};

TEST(thread_usage, tells_a_thread_that_gets_no_processor_from_one_that_computes_or_blocks) {
  const expected_time table[] = {
      {"computes", before, {132ms, 50ms, 7, true}, 0ms},
      {"gets none: what lasts is not in the kernel's sum", before, {100ms, 50ms, 7, true}, 32ms},
      {"gets some of it", before, {110ms, 70ms, 7, true}, 22ms},
      {"blocks", before, {100ms, 50ms, 8, false}, 0ms},
      {"has blocked, and was kept waiting for 5 ms then", before, {101ms, 55ms, 9, true}, 5ms},
      {"goes on blocking", {100ms, 50ms, 7, false}, {100ms, 50ms, 7, false}, 0ms},
      {"was woken and has not run: nobody knows since when", {100ms, 50ms, 7, false}, {100ms, 50ms, 7, true}, 0ms},
      {"was woken late", {100ms, 50ms, 7, false}, {102ms, 80ms, 7, true}, 30ms},
      {"has run for longer than was measured here", before, {140ms, 50ms, 7, true}, 0ms},
      {"waited for longer than was measured here", before, {131ms, 90ms, 8, true}, 1ms},
      {"on a kernel that does not say how long it was ready", {100ms, 0ms, 7, true}, {101ms, 0ms, 9, true}, 0ms},
  };
  for (const expected_time& row : table)
    EXPECT_EQ(unscheduled(row.before, row.now, 32ms), row.unscheduled) << row.what;
}

TEST(thread_probe, finds_no_wait_for_a_processor_in_a_thread_that_blocks) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  std::promise<thread_probe*> made;
  std::thread blocked([&] {
    thread_probe probe;
    made.set_value(&probe);
    char byte = 0;
    EXPECT_EQ(::read(ends[0], &byte, 1), 1);
    EXPECT_FALSE(probe.is_polling()) << "a look at itself";
  });
  thread_probe& probe = *made.get_future().get();
  const system_clock machine;
  const steady_time give_up = time_after(machine.now(), 60s);
  // On its way to the read it may be kept waiting; from then on it is not.
  int calm = 0;
  while (calm < 100 && machine.now() < give_up)
    calm = probe.take_unscheduled() == 0ns ? calm + 1 : 0;
  EXPECT_EQ(calm, 100);
  EXPECT_EQ(::write(ends[1], "x", 1), 1);
  blocked.join();
  ::close(ends[0]);
  ::close(ends[1]);
}

#ifndef __SANITIZE_THREAD__
/// Binds the calling thread to the processor `to`, or lets it go first whenever another one wants it.
bool give_way(int to) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(to, &one);
  const sched_param none{};
  return ::sched_setaffinity(0, sizeof one, &one) == 0 && ::sched_setscheduler(0, SCHED_IDLE, &none) == 0;
}

TEST(thread_probe, finds_the_time_in_which_the_machine_ran_somebody_else) {
  const int processor = ::sched_getcpu();
  std::atomic<bool> done = false;
  std::promise<thread_probe*> made;
  // It computes all the time, on a processor that another one has nearly to itself.
  std::thread starved([&] {
    EXPECT_TRUE(give_way(processor));
    thread_probe probe;
    made.set_value(&probe);
    while (!done) {
    }
  });
  thread_probe& probe = *made.get_future().get();
  std::thread greedy([&] {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(processor, &one);
    EXPECT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
    while (!done) {
    }
  });
  const system_clock machine;
  const steady_time give_up = time_after(machine.now(), 60s);
  steady_duration without{};
  while (without < 100ms && machine.now() < give_up)
    without += probe.take_unscheduled();
  done = true;
  greedy.join();
  starved.join();
  EXPECT_GE(without, 100ms);
}
#endif

}  // namespace
}  // namespace grove
