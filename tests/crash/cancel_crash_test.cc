// SPDX-License-Identifier: Apache-2.0

// Threads that are ended from outside, by what is no C++ exception: nobody can hand it on, so the end names it.

#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <thread>

#include "base/clock.h"
#include "worker/greenlet/generator.h"
#include "worker/greenlet/greenlet.h"
#include "worker/greenlet/sanitizer.h"
#include "worker/hub/hub.h"
#include "worker/io/thread_pool.h"
#include "worker/tasks/task.h"

namespace grove {
namespace {

using namespace std::chrono_literals;

class cancel_crash : public testing::Test {
 protected:
  cancel_crash() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

constexpr const char* words = "a thread was ended by pthread_cancel\\(\\) or pthread_exit\\(\\)";

/// Runs `body` on a thread, in a hub's context, and cancels that thread as soon as it says that it is ready.
template <typename F>
void cancel_in(F body) {
  std::atomic<bool> ready = false;
  std::thread cancelled([&] {
    system_clock time;
    hub loop(time);
    body(loop, ready);
  });
  while (!ready)
    std::this_thread::yield();
  ::pthread_cancel(cancelled.native_handle());
  cancelled.join();
}

TEST_F(cancel_crash, of_a_hub_that_sleeps_is_named) {
  const auto program = [] {
    cancel_in([](hub& loop, std::atomic<bool>& ready) {
      loop.post([&] { ready = true; });
      loop.run();
    });
  };
  EXPECT_EXIT(program(), testing::KilledBySignal(SIGABRT), words);
}

TEST_F(cancel_crash, of_a_task_that_blocks_its_thread_is_named) {
  const auto program = [] {
    cancel_in([](hub& loop, std::atomic<bool>& ready) {
      spawn([&] {
        ready = true;
        ::pause();
      });
      loop.run();
    });
  };
  EXPECT_EXIT(program(), testing::KilledBySignal(SIGABRT), words);
}

TEST_F(cancel_crash, of_a_raw_greenlet_and_of_a_generator_is_named) {
  const auto in_a_greenlet = [] {
    cancel_in([](hub&, std::atomic<bool>& ready) {
      greenlet::make([&] {
        ready = true;
        ::pause();
      })->resume();
    });
  };
  EXPECT_EXIT(in_a_greenlet(), testing::KilledBySignal(SIGABRT), words);
#ifdef GROVE_TSAN
  GTEST_SKIP() << "ThreadSanitizer's own pthread_exit() may not be called on another stack than the thread's";
#endif
  const auto in_a_generator = [] {
    generator<int> ends([](genlet<int>&) { ::pthread_exit(nullptr); });
    (void)ends.begin();
  };
  EXPECT_EXIT(in_a_generator(), testing::KilledBySignal(SIGABRT), words);
}

TEST_F(cancel_crash, by_an_exit_in_what_the_hub_calls_is_named) {
#ifdef GROVE_TSAN
  GTEST_SKIP() << "ThreadSanitizer's own pthread_exit() may not be called on another stack than the thread's";
#endif
  const auto in_a_task = [] {
    system_clock time;
    hub loop(time);
    spawn([] { ::pthread_exit(nullptr); });
    loop.run_ready();
  };
  EXPECT_EXIT(in_a_task(), testing::KilledBySignal(SIGABRT), words);
  const auto in_a_callback = [] {
    system_clock time;
    hub loop(time);
    loop.post([] { ::pthread_exit(nullptr); });
    loop.run_ready();
  };
  EXPECT_EXIT(in_a_callback(), testing::KilledBySignal(SIGABRT), words);
  const auto in_a_call_on_a_thread = [] {
    system_clock time;
    hub loop(time);
    auto caller = spawn([] { call_in_thread([] { ::pthread_exit(nullptr); }); });
    loop.run_until(*caller);
  };
  EXPECT_EXIT(in_a_call_on_a_thread(), testing::KilledBySignal(SIGABRT), words);
}

}  // namespace
}  // namespace grove
