// SPDX-License-Identifier: Apache-2.0
// The tests own time and make the monitor's looks themselves, mostly from the very greenlet that stalls: the signal for
// its stack is then delivered at once. Only the last tests have a thread.
#include "worker/hub/stall_monitor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/hub_fixture.h"
#include "worker/greenlet/big_stack.h"
#include "worker/greenlet/continulet.h"
#include "worker/hub/stack_capture.h"
#include "worker/hub/stall_judge.h"
#include "worker/tasks/task.h"

namespace grove {
namespace stall_tests {

/// Of external linkage, so that it has a name in a stack.
__attribute__((noinline)) void hold(const std::function<void()>& what) {
  what();
  __asm__ volatile("" ::: "memory");  // no tail call
}

}  // namespace stall_tests

#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)  // which runs the handlers of signals when it likes
extern "C" void grove_test_stub(const std::atomic<bool>* until);
// As the stubs that some linkers make for calls into shared libraries: without unwind information.
__asm__(
    ".text\n"
    ".globl grove_test_stub\n"
    ".type grove_test_stub, @function\n"
    "grove_test_stub:\n"
    "  cmpb $0, (%rdi)\n"
    "  je grove_test_stub\n"
    "  ret\n"
    ".size grove_test_stub, . - grove_test_stub\n");
#endif

namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using stage = stall_event::stage;
using verdict = stall_judge::verdict;

bool names_hold(const std::vector<std::string>& stack) {
  return std::ranges::any_of(stack,
                             [](const std::string& frame) { return frame.find("stall_tests::hold") != frame.npos; });
}

TEST(stall_judge, tells_of_a_stall_once_then_once_a_period_and_of_its_end) {
  stall_judge judge(20ms, 1s);
  steady_time now{1h};
  const auto look = [&](steady_duration later, std::uint64_t passes, bool asleep = false) {
    return judge.look(now += later, passes, asleep);
  };
  EXPECT_EQ(look(0ms, 1), verdict::nothing);
  EXPECT_EQ(look(10ms, 2), verdict::nothing);
  EXPECT_EQ(look(10ms, 2), verdict::nothing);
  EXPECT_EQ(look(10ms, 2), verdict::began);
  EXPECT_EQ(judge.lasted(), 20ms);
  for (int i = 0; i < 99; ++i)
    EXPECT_EQ(look(10ms, 2), verdict::lasts);
  EXPECT_EQ(look(10ms, 2), verdict::goes_on);
  EXPECT_EQ(look(10ms, 3), verdict::ended);
  EXPECT_EQ(judge.lasted(), 1030ms);
  EXPECT_EQ(look(10ms, 3), verdict::nothing);
}

TEST(stall_judge, takes_neither_sleep_nor_a_gap_of_its_own_for_a_stall) {
  stall_judge judge(20ms, 1s);
  steady_time now{1h};
  EXPECT_EQ(judge.look(now, 1, false), verdict::nothing);
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(judge.look(now += 10ms, 1, true), verdict::nothing) << "it sleeps";
  EXPECT_EQ(judge.look(now += 10ms, 1, false), verdict::nothing) << "counted from the last look that found it asleep";
  EXPECT_EQ(judge.look(now += 10ms, 2, false), verdict::nothing);
  EXPECT_EQ(judge.look(now += 1h, 2, false), verdict::nothing) << "the process was stopped";
  EXPECT_EQ(judge.look(now += 10ms, 2, false), verdict::began);
}

TEST(stall_judge, blames_the_machine_until_something_has_held_the_thread_for_long_enough) {
  stall_judge judge(20ms, 1s);
  steady_time now{1h};
  const auto look = [&](steady_duration later, std::uint64_t passes, steady_duration unscheduled) {
    return judge.look(now += later, passes, false, unscheduled);
  };
  EXPECT_EQ(look(0ms, 1, 0ms), verdict::nothing);
  EXPECT_EQ(look(10ms, 1, 10ms), verdict::nothing);
  EXPECT_EQ(look(10ms, 1, 8ms), verdict::began);
  EXPECT_FALSE(judge.held());
  EXPECT_EQ(judge.unscheduled(), 18ms);
  EXPECT_EQ(look(10ms, 1, 0ms), verdict::lasts);
  EXPECT_EQ(look(10ms, 1, 0ms), verdict::began) << "now something holds it";
  EXPECT_TRUE(judge.held());
  EXPECT_EQ(look(10ms, 2, 0ms), verdict::ended);
  EXPECT_TRUE(judge.held());
  EXPECT_EQ(look(10ms, 2, 10ms), verdict::nothing);
  EXPECT_EQ(look(15ms, 2, 15ms), verdict::began) << "nothing is left of the last stall";
  EXPECT_FALSE(judge.held());
  EXPECT_EQ(look(15ms, 3, 15ms), verdict::ended);
  EXPECT_FALSE(judge.held());
}

#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
TEST(stack_capture, goes_on_beyond_a_stub_without_unwind_information) {
  stack_capture capture;
  std::atomic<bool> done = false;
  std::vector<std::string> frames;
  const auto beyond = [&frames] {
    return !frames.empty() && frames.front().find("grove_test_stub") != std::string::npos && names_hold(frames);
  };
  std::thread looker([&] {
    const system_clock machine;
    const steady_time give_up = time_after(machine.now(), 60s);
    while (!beyond() && machine.now() < give_up) {
      if (const std::optional<seen_stack> seen = capture.take(1s)) frames = describe_frames(seen->frames);
    }
    done = true;
  });
  stall_tests::hold([&] { grove_test_stub(&done); });
  looker.join();
  EXPECT_TRUE(beyond()) << testing::PrintToString(frames);
}
#endif

class stall : public hub_fixture {
 protected:
  stall() {
    monitor.on_stall([this](const stall_event& event) { events.push_back(event); });
  }

  /// Holds the thread for `time_held`, while the monitor looks every 12 ms.
  void hold(steady_duration time_held) {
    stall_tests::hold([&] {
      for (steady_duration held{}; held < time_held; held += 12ms) {
        time.advance(12ms);
        monitor.step();
      }
    });
  }
  std::vector<stage> stages() const {
    std::vector<stage> found;
    for (const stall_event& event : events)
      found.push_back(event.at);
    return found;
  }

  static std::size_t say_name(const greenlet& running, char* text, std::size_t bytes) noexcept {
    return running.name().copy(text, bytes);
  }
  std::vector<stall_event> events;
  // The machine's load is not the tests' to own.
  stall_monitor monitor{
      loop, time, {.stall_after = 24ms, .label = &say_name, .unscheduled = [] { return steady_duration(0); }}};
};

TEST_F(stall, names_the_greenlet_that_holds_the_thread_and_its_stack) {
  auto busy = spawn([this] { hold(120ms); });
  busy->set_name("busy one");
  loop.poll();
  ASSERT_THAT(stages(), ElementsAre(stage::began));
  EXPECT_EQ(events[0].greenlet, "busy one");
  EXPECT_EQ(events[0].label, "busy one");
  EXPECT_GE(events[0].lasted, 24ms);
  EXPECT_THAT(events[0].stack, testing::Contains(HasSubstr("stall_tests::hold")));
  loop.run_ready();
  time.advance(12ms);
  monitor.step();
  ASSERT_THAT(stages(), ElementsAre(stage::began, stage::ended));
  EXPECT_GE(events[1].lasted, 120ms);
  EXPECT_THAT(events[1].stack, IsEmpty());
  EXPECT_EQ(monitor.stalls(), 1U);
  EXPECT_EQ(monitor.longest(), events[1].lasted);
}

TEST_F(stall, is_told_of_again_once_a_period) {
  loop.post([this] { hold(2500ms); });
  loop.run_ready();
  EXPECT_THAT(stages(), ElementsAre(stage::began, stage::goes_on, stage::goes_on));
  EXPECT_EQ(events[0].greenlet, "main") << "a callback";
  EXPECT_EQ(monitor.stalls(), 1U);
}

TEST_F(stall, is_told_of_again_when_another_holds_the_thread) {
  loop.post([this] { hold(60ms); });
  auto busy = spawn([this] { hold(60ms); });
  busy->set_name("busy one");
  loop.poll();
  ASSERT_THAT(stages(), ElementsAre(stage::began, stage::goes_on));
  EXPECT_EQ(events[0].greenlet, "main");
  EXPECT_EQ(events[1].greenlet, "busy one");
  EXPECT_EQ(events[1].label, "busy one");
  EXPECT_THAT(events[1].stack, testing::Contains(HasSubstr("stall_tests::hold")));
  EXPECT_EQ(monitor.stalls(), 1U);
}

TEST_F(stall, is_told_of_when_it_was_ignored_in_another_greenlet) {
  spawn([this] {
    const ignore_stalls allowed;
    hold(60ms);
  });
  auto busy = spawn([this] { hold(60ms); });
  busy->set_name("busy one");
  loop.poll();
  ASSERT_THAT(stages(), ElementsAre(stage::began));
  EXPECT_EQ(events[0].greenlet, "busy one");
  EXPECT_EQ(monitor.stalls(), 1U);
}

TEST_F(stall, for_want_of_a_processor_is_counted_apart_and_blames_nobody) {
  bool starved = true;
  stall_monitor beside(loop, time,
                       {.stall_after = 24ms, .unscheduled = [&] { return starved ? 12ms : steady_duration(0ms); }});
  std::vector<stall_event> seen;
  beside.on_stall([&](const stall_event& event) { seen.push_back(event); });
  const auto pass_time = [&](int looks) {
    stall_tests::hold([&] {
      for (int i = 0; i < looks; ++i) {
        time.advance(12ms);
        beside.step();
      }
    });
  };
  loop.post([&] { pass_time(10); });
  loop.run_ready();
  pass_time(1);
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0].at, stage::began);
  EXPECT_EQ(seen[0].why, stall_event::cause::no_processor);
  EXPECT_GE(seen[0].unscheduled, 24ms);
  EXPECT_THAT(seen[0].stack, IsEmpty());
  EXPECT_EQ(seen[0].greenlet, "");
  EXPECT_EQ(seen[1].at, stage::ended);
  EXPECT_EQ(beside.delays(), 1U);
  EXPECT_EQ(beside.stalls(), 0U);
  EXPECT_EQ(beside.longest(), 0ms);
  loop.post([&] {
    pass_time(5);
    starved = false;
    pass_time(5);
  });
  loop.run_ready();
  pass_time(1);
  ASSERT_EQ(seen.size(), 5U);
  EXPECT_EQ(seen[2].why, stall_event::cause::no_processor);
  EXPECT_EQ(seen[3].at, stage::began) << "then it computes";
  EXPECT_EQ(seen[3].why, stall_event::cause::held);
  EXPECT_TRUE(names_hold(seen[3].stack));
  EXPECT_EQ(seen[4].at, stage::ended);
  EXPECT_EQ(seen[4].why, stall_event::cause::held);
  EXPECT_EQ(beside.delays(), 2U);
  EXPECT_EQ(beside.stalls(), 1U);
}

#ifdef GROVE_OWN_JUMP
TEST_F(stall, shows_who_has_called_what_runs_on_another_stack) {
  auto busy = spawn([this] {
    stall_tests::hold([this] {
      continulet::make([this](continulet&) {
        on_big_stack([this] {
          for (int look = 0; look < 5; ++look) {
            time.advance(12ms);
            monitor.step();
          }
        });
      })->resume();
    });
  });
  loop.poll();
  ASSERT_THAT(stages(), ElementsAre(stage::began));
  EXPECT_TRUE(names_hold(events[0].stack)) << testing::PrintToString(events[0].stack);
  EXPECT_THAT(events[0].stack, testing::Contains(HasSubstr("run_on_big_stack")));
}
#endif

TEST_F(stall, is_none_as_long_as_passes_are_made) {
  spawn([this] {
    for (int i = 0; i < 10; ++i) {
      hold(12ms);
      yield();
    }
  });
  loop.run_ready();
  EXPECT_THAT(events, IsEmpty());
}

TEST_F(stall, of_a_greenlet_that_may_is_ignored) {
  spawn([this] {
    const ignore_stalls allowed;
    hold(120ms);
  });
  loop.run_ready();
  time.advance(12ms);
  monitor.step();
  EXPECT_THAT(events, IsEmpty());
  EXPECT_EQ(monitor.stalls(), 0U);
  spawn([this] { hold(60ms); });
  loop.run_ready();
  EXPECT_EQ(monitor.stalls(), 1U) << "the next one is not";
}

TEST_F(stall, is_not_told_of_after_a_kill) {
  monitor.kill();
  EXPECT_EQ(monitor.functions().functions(), 0U);
  loop.post([this] { hold(120ms); });
  loop.run_ready();
  EXPECT_THAT(events, IsEmpty());
}

TEST_F(stall, listener_that_throws_is_reported_and_the_monitor_goes_on) {
  monitor.on_stall([](const stall_event&) { throw std::runtime_error("listener"); });
  loop.post([this] { hold(120ms); });
  loop.run_ready();
  EXPECT_EQ(monitor.stalls(), 1U);
  expected_errors = {"a function of the stall monitor: listener"};
}

TEST_F(stall, watch_comes_with_one_of_memory) {
  std::size_t in_use = 10;
  std::vector<std::pair<bool, std::size_t>> told;
  monitor.watch_memory({.bytes_max = 100, .measure = [&] { return in_use; }},
                       [&](const memory_event& event) { told.emplace_back(event.over, event.bytes); });
  for (const std::size_t bytes : std::initializer_list<std::size_t>{10, 150, 140, 160, 160, 100, 90, 101}) {
    in_use = bytes;
    time.advance(5s);
    monitor.step();
  }
  using pair = std::pair<bool, std::size_t>;
  EXPECT_THAT(told, ElementsAre(pair{true, 150}, pair{true, 160}, pair{false, 100}, pair{true, 101}));
  monitor.watch_memory({}, nullptr);
  EXPECT_EQ(monitor.functions().functions(), 1U);
  EXPECT_GT(resident_bytes(), 1U << 20U);
}

TEST_F(stall, monitor_runs_functions_with_their_periods) {
  monitor_thread& functions = monitor.functions();
  int often = 0;
  int seldom = 0;
  functions.add([&] { ++often; }, 1s);
  const std::uint64_t number = functions.add([&] { ++seldom; }, 10s);
  std::uint64_t once = 0;
  int ran_once = 0;
  once = functions.add(
      [&] {
        ++ran_once;
        functions.remove(once);
      },
      1s);
  EXPECT_THROW(functions.add([] {}, 0s), std::invalid_argument);
  functions.add([] { throw std::runtime_error("function"); }, 20s);
  for (int second = 0; second < 20; ++second) {
    time.advance(1s);
    EXPECT_LE(functions.step(), time_after(time.now(), 1s));
  }
  EXPECT_EQ(often, 20);
  EXPECT_EQ(seldom, 2);
  EXPECT_EQ(ran_once, 1);
  functions.remove(number);
  time.advance(10s);
  monitor.step();
  EXPECT_EQ(seldom, 2);
  expected_errors = {"a function of the stall monitor: function"};
}

/// A clock that one thread moves while another looks.
class shared_clock final : public clock {
 public:
  [[nodiscard]] steady_time now() const noexcept override { return steady_time(steady_duration(ticks_.load())); }
  void advance(steady_duration step) noexcept { ticks_ += step.count(); }

 private:
  std::atomic<steady_duration::rep> ticks_{std::chrono::nanoseconds(1s).count()};
};

TEST(stall_thread, takes_no_hub_that_waits_for_events_for_one_that_stalls) {
  shared_clock time;
  hub loop(time);
  stall_monitor monitor(loop, time, {.stall_after = 24ms});
  bool stalled = false;
  monitor.on_stall([&](const stall_event& event) { stalled = event.at != stage::ended; });
  std::thread looker([&] {
    while (!loop.asleep())
      std::this_thread::yield();
    // It may be on its way to the poll for some looks; from then on it is there for ever.
    for (int calm = 0; calm < 100; calm = stalled ? 0 : calm + 1) {
      time.advance(12ms);
      monitor.step();
    }
    loop.stop();
  });
  loop.run();
  looker.join();
}

TEST(stall_thread, sees_a_handler_that_holds_the_thread_which_it_has_just_woken) {
  const system_clock time;
  hub loop(time);
  std::atomic<int> told = 0;
  std::atomic<bool> seen = false;
  stall_monitor monitor(loop, time, {.stall_after = 10ms, .repeat_every = 10ms, .stack_patience = 1s});
  monitor.on_stall([&](const stall_event& event) {
    if (names_hold(event.stack)) seen = true;
    ++told;
  });
  monitor.start();
  std::thread poster([&] {
    while (!loop.asleep())
      std::this_thread::yield();
    loop.post_from_thread([&] {
      const steady_time give_up = time_after(time.now(), 60s);
      stall_tests::hold([&] {
        while (!seen && time.now() < give_up) {
        }
      });
      loop.stop();
    });
  });
  loop.run();
  poster.join();
  monitor.kill();
  EXPECT_GE(monitor.stalls(), 1U);
  EXPECT_TRUE(seen) << "after " << told << " looks";
}

}  // namespace
}  // namespace grove
