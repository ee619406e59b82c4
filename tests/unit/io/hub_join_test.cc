// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <asio/steady_timer.hpp>
#include <cstddef>
#include <stdexcept>
#include <thread>

#include "tests/support/hub_fixture.h"
#include "tests/unit/io/io_fixture.h"
#include "worker/greenlet/metering.h"
#include "worker/hub/callback_timer.h"
#include "worker/io/fd_wait.h"
#include "worker/io/signals.h"
#include "worker/io/subprocess.h"
#include "worker/io/thread_pool.h"
#include "worker/io/use_greenlet.h"
#include "worker/tasks/event.h"
#include "worker/tasks/task.h"

namespace grove {
namespace {

using namespace std::chrono_literals;

/// On the machine's clock, since a join sleeps.
class hub_joins : public testing::Test {
 protected:
  /// Far enough away for a join that ends by itself to do so before.
  [[nodiscard]] steady_time much_later() const { return time_after(loop.now(), 60s); }

  system_clock time;
  hub loop{time};
};

TEST_F(hub_joins, end_when_all_greenlets_have_finished) {
  EXPECT_EQ(loop.join(), loop_end::finished) << "nothing to do";
  bool done = false;
  spawn_later(1ms, [&] {
    asio::steady_timer timer(loop.io(), 1ms);
    timer.async_wait(use_greenlet);
    sleep_for(1ms);
    done = true;
  });
  EXPECT_EQ(loop.join(), loop_end::finished);
  EXPECT_TRUE(done);
  EXPECT_EQ(loop.join(), loop_end::finished) << "may be joined again";
}

TEST_F(hub_joins, tell_a_deadlock) {
  event never(loop);
  auto waits = spawn([&] { never.wait(); });
  EXPECT_EQ(loop.join(), loop_end::stuck);
  EXPECT_THROW(loop.run_until(*waits), loop_exit);
  never.set();
  EXPECT_TRUE(loop.run_until(*waits));
  auto unstarted = make_task_on(loop, [] {});
  EXPECT_THROW(loop.run_until(*unstarted), loop_exit);
}

TEST_F(hub_joins, end_at_their_time_or_when_stopped) {
  auto sleeper = spawn([] { sleep_for(1h); });
  EXPECT_EQ(loop.join(time_after(loop.now(), 1ms)), loop_end::timed_out);
  EXPECT_FALSE(loop.run_until(*sleeper, loop.now()));
  loop.stop();
  EXPECT_EQ(loop.join(), loop_end::stopped);
  EXPECT_FALSE(sleeper->ready());
  sleeper->kill(kill_mode::do_not_wait);
  EXPECT_EQ(loop.join(), loop_end::finished);
}

TEST_F(hub_joins, wait_for_what_others_post_while_held) {
  event posted(loop);
  auto waits = spawn([&] { posted.wait(); });
  loop.hold();
  std::thread other([&] {
    loop.post_from_thread([&] {
      loop.release();
      posted.set();
    });
  });
  EXPECT_EQ(loop.join(), loop_end::finished);
  EXPECT_TRUE(waits->ready());
  other.join();
}

TEST_F(hub_joins, wait_for_calls_on_threads_and_not_for_idle_threads) {
  thread_pool pool({}, loop);
  auto asks = spawn([&] { return pool.call([] { return 5; }); });
  EXPECT_TRUE(loop.run_until(*asks));
  EXPECT_EQ(asks->get(), 5);
  EXPECT_EQ(loop.join(), loop_end::finished);
  auto stops = spawn([&] { return pool.stop(); });
  EXPECT_TRUE(loop.run_until(*stops));
}

TEST_F(hub_joins, see_what_was_poked_while_they_looked) {
  for (int i = 0; i < 100; ++i) {
    std::thread other([&] {
      for (int j = 0; j < 20; ++j)
        loop.poke();
    });
    EXPECT_EQ(loop.join(), loop_end::finished);
    other.join();
  }
  EXPECT_EQ(loop.join(), loop_end::finished);
}

TEST_F(hub_joins, do_not_wait_for_background_timers) {
  callback_timer heartbeat([] {});
  heartbeat.set_background(true);
  heartbeat.arm_after(loop, 1h);
  EXPECT_EQ(loop.join(), loop_end::finished);
  heartbeat.disarm();
  spawn([] { sleep_for(1ms); });
  EXPECT_EQ(loop.join(), loop_end::finished);
}

TEST_F(hub_joins, wait_for_descriptors_as_long_as_somebody_does) {
  const pipe_ends pipe = make_pipe();
  auto reader = spawn([&] { return wait_readable(pipe.read.get()); });
  EXPECT_EQ(loop.join(time_after(loop.now(), 1ms)), loop_end::timed_out) << "another process may write";
  EXPECT_EQ(::write(pipe.write.get(), "x", 1), 1);
  EXPECT_EQ(loop.join(much_later()), loop_end::finished);
  EXPECT_TRUE(reader->get());
  event never(loop);
  auto waits = spawn([&] { never.wait(); });
  EXPECT_EQ(loop.join(much_later()), loop_end::stuck);
  EXPECT_THROW(loop.run_until(*waits, much_later()), loop_exit);
  never.set();
  EXPECT_EQ(loop.join(much_later()), loop_end::finished);
}

TEST_F(hub_joins, end_when_the_children_have) {
  auto runs = spawn([] { return subprocess::check_output({"/bin/cat"}, {}, "x"); });
  EXPECT_EQ(loop.join(much_later()), loop_end::finished);
  EXPECT_EQ(runs->get(), "x");
}

TEST_F(hub_joins, do_not_wait_for_signals_unless_a_greenlet_does) {
  int handled = 0;
  {
    const signal_handle handler = on_signal(SIGUSR1, [&] { ++handled; });
    EXPECT_EQ(loop.join(much_later()), loop_end::finished);
    ::raise(SIGUSR1);
    EXPECT_EQ(loop.join(much_later()), loop_end::finished);
    EXPECT_EQ(handled, 1);
  }
  EXPECT_EQ(loop.join(much_later()), loop_end::finished);
  auto waits = spawn([] { return wait_signal({SIGUSR1}); });
  loop.run_ready();  // From here on the signal is awaited, and no longer ends the process.
  EXPECT_EQ(loop.join(time_after(loop.now(), 1ms)), loop_end::timed_out);
  ::raise(SIGUSR1);
  EXPECT_TRUE(loop.run_until(*waits, much_later()));
  EXPECT_EQ(waits->get(), SIGUSR1);
}

TEST_F(hub_joins, belong_to_the_hub) {
  auto wrong = spawn([&] { EXPECT_THROW(loop.join(), greenlet_error); });
  EXPECT_TRUE(loop.run_until(*wrong));
}

TEST(hub_joins_of_threads, leave_nothing_behind_when_the_thread_ends) {
  const std::size_t before = count_greenlets().threads;
  for (int i = 0; i < 3; ++i) {
    std::thread([] {
      const system_clock time;
      hub loop(time);
      bool done = false;
      spawn([&] {
        sleep_for(1ms);
        done = true;
      });
      EXPECT_EQ(loop.join(), loop_end::finished);
      EXPECT_TRUE(done);
    }).join();
  }
  EXPECT_EQ(count_greenlets().threads, before);
}

}  // namespace
}  // namespace grove
