// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <mutex>
#include <stdexcept>
#include <string_view>
#include <thread>

#include "base/clock.h"
#include "worker/greenlet/big_stack.h"
#include "worker/greenlet/continulet.h"
#include "worker/greenlet/greenlet.h"
#include "worker/greenlet/initialisers.h"
#include "worker/greenlet/overflow_report.h"
#include "worker/hub/hub.h"
#include "worker/tasks/task.h"
#include "worker/tasks/timeout.h"

namespace grove {
namespace {

using namespace std::chrono_literals;

class greenlet_crash : public testing::Test {
 protected:
  greenlet_crash() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

// NOLINTNEXTLINE(misc-no-recursion)
__attribute__((noinline)) std::size_t overflow(std::size_t depth) {
  volatile char room[1024];
  room[depth % sizeof room] = 1;
  if (depth == 0) return 0;
  return overflow(depth - 1) + static_cast<std::size_t>(room[depth % sizeof room]);
}

constexpr std::size_t too_deep = 1U << 20U;

std::size_t say_actor(const greenlet& running, char* text, std::size_t) noexcept {
  const std::string_view actor = static_cast<const char*>(running.local());
  std::memcpy(text, actor.data(), actor.size());
  return actor.size();
}

TEST_F(greenlet_crash, a_stack_overflow_names_the_greenlet_and_what_runs_in_it) {
  const auto program = [] {
    install_overflow_report(&say_actor);
    char actor[] = "Account/alice Deposit";
    greenlet_ptr deep = greenlet::make([] { return overflow(too_deep); }, {.name = "deep one"});
    deep->set_local(actor);
    deep->resume();
  };
  EXPECT_EXIT(program(), testing::KilledBySignal(SIGABRT),
              "stack overflow in greenlet 'deep one': Account/alice Deposit");
}

TEST_F(greenlet_crash, a_stack_overflow_names_the_greenlet_that_runs_on_another_stack) {
  const auto inside = [] {
    continulet::make([](continulet&) { on_big_stack([] { return overflow(too_deep); }); })->resume();
  };
  const auto program = [&] {
    install_overflow_report();
    greenlet::make(inside, {.name = "away from home"})->resume();
  };
  EXPECT_EXIT(program(), testing::KilledBySignal(SIGABRT), "stack overflow in greenlet 'away from home'");
}

TEST_F(greenlet_crash, a_continulet_that_swallows_its_exit_for_ever_is_an_error) {
  const auto program = [] {
    continulet_ptr stubborn = continulet::make([](continulet& self) {
      for (;;) {
        try {
          self.resume();
        } catch (...) {  // swallows everything
        }
      }
    });
    stubborn->resume();
    stubborn.reset();
  };
  EXPECT_EXIT(program(), testing::KilledBySignal(SIGABRT), "a continulet cannot be unwound");
}

TEST_F(greenlet_crash, a_stack_overflow_is_reported_on_every_thread_that_asked_for_it) {
  const auto program = [] {
    std::thread([] {
      install_overflow_report();
      greenlet::make([] { return overflow(too_deep); }, {.name = "threaded"})->resume();
    }).join();
  };
  EXPECT_EXIT(program(), testing::KilledBySignal(SIGABRT), "stack overflow in greenlet 'threaded'");
}

void fault_in_a_greenlet() {
  void* forbidden = ::mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  greenlet::make([forbidden] { *static_cast<volatile char*>(forbidden) = 1; })->resume();
}

/// A handler that was there; whoever faults for ever is ended.
void expect_a_fault() {
  std::signal(SIGSEGV, [](int) { std::_Exit(7); });
  ::alarm(30);
}

TEST_F(greenlet_crash, another_fault_goes_to_the_handler_that_was_there) {
  const auto program = [] {
    expect_a_fault();
    install_overflow_report();
    fault_in_a_greenlet();
  };
  EXPECT_EXIT(program(), testing::ExitedWithCode(7), "");
}

TEST_F(greenlet_crash, another_fault_on_a_second_thread_goes_to_the_handler_that_was_there) {
  const auto program = [] {
    expect_a_fault();
    install_overflow_report();
    std::thread([] {
      install_overflow_report();
      fault_in_a_greenlet();
    }).join();
  };
  EXPECT_EXIT(program(), testing::ExitedWithCode(7), "");
}

TEST_F(greenlet_crash, a_fault_on_a_thread_that_asked_for_no_report_goes_to_the_handler_that_was_there) {
  const auto program = [] {
    expect_a_fault();
    install_overflow_report();
    std::thread(&fault_in_a_greenlet).join();
  };
  EXPECT_EXIT(program(), testing::ExitedWithCode(7), "");
}

TEST_F(greenlet_crash, a_thread_that_ends_leaves_no_signal_stack_behind) {
  /// Made before the state of the greenlets, so it goes after that.
  struct last_look {
    void* stack = nullptr;
    ~last_look() {
      stack_t present{};
      ::sigaltstack(nullptr, &present);
      std::_Exit(stack != nullptr && present.ss_sp != stack ? 7 : 1);
    }
  };
  const auto program = [] {
    std::thread([] {
      static thread_local last_look late;
      late.stack = nullptr;
      install_overflow_report();
      stack_t present{};
      ::sigaltstack(nullptr, &present);
      late.stack = present.ss_sp;
    }).join();
  };
  EXPECT_EXIT(program(), testing::ExitedWithCode(7), "");
}

TEST_F(greenlet_crash, a_greenlet_that_swallows_its_exit_for_ever_is_named) {
  const auto program = [] {
    greenlet_ptr stubborn = greenlet::make(
        [] {
          for (;;) {
            try {
              greenlet::main().resume();
            } catch (...) {  // swallows everything
            }
          }
        },
        {.name = "stubborn"});
    stubborn->resume();
    stubborn.reset();
  };
  EXPECT_EXIT(program(), testing::KilledBySignal(SIGABRT),
              "greenlet 'stubborn': swallows greenlet_exit for ever(.|\n)*a greenlet cannot be unwound");
}

TEST_F(greenlet_crash, a_destructor_that_waits_while_a_drop_unwinds_it_is_an_error) {
  const auto program = [] {
    manual_clock time;
    hub loop(time);
    greenlet_ptr raw = greenlet::make([] {
      struct waits {
        ~waits() { yield(); }
      } guard;
      sleep_for(1h);
    });
    raw->resume();
    raw.reset();
  };
  EXPECT_EXIT(program(), testing::KilledBySignal(SIGABRT), "a destructor waits while its greenlet is unwound");
}

TEST_F(greenlet_crash, a_drop_of_one_that_waits_in_a_destructor_is_an_error) {
  const auto drops = [](auto wait) {
    manual_clock time;
    hub loop(time);
    greenlet_ptr raw = greenlet::make([wait] {
      struct waiting {
        decltype(wait) way;
        ~waiting() { way(); }
      };
      try {
        const waiting guard{wait};
        throw std::runtime_error("unwinds it");
      } catch (const std::runtime_error&) {
        return;
      }
    });
    raw->resume();
    raw.reset();
  };
  const char* const text = "a greenlet is dropped while a destructor in it waits";
  EXPECT_EXIT(drops([] { sleep_for(1h); }), testing::KilledBySignal(SIGABRT), text);
  EXPECT_EXIT(drops([] { yield(); }), testing::KilledBySignal(SIGABRT), text);
}

TEST_F(greenlet_crash, destructors_that_switch_away_for_ever_are_named) {
  const auto program = [] {
    greenlet_ptr stubborn = greenlet::make(
        [] {
          struct switches {
            ~switches() {
              for (;;)
                greenlet::main().resume();
            }
          } guard;
          greenlet::main().resume();
        },
        {.name = "stubborn"});
    stubborn->resume();
    stubborn.reset();
  };
  EXPECT_EXIT(program(), testing::KilledBySignal(SIGABRT),
              "greenlet 'stubborn': switches away for ever in destructors");
}

int made_by_who_waits() {
  static const int made = (sleep_for(1h), 1);
  return made;
}

TEST_F(greenlet_crash, a_static_variable_whose_initialiser_waits_is_named_when_another_needs_it) {
  const auto program = [] {
    set_initialiser_waits(initialiser_waits::are_told);
    manual_clock time;
    hub loop(time);
    spawn(&made_by_who_waits)->set_name("maker");
    spawn(&made_by_who_waits)->set_name("user");
    loop.run_ready();
  };
  EXPECT_EXIT(program(), testing::KilledBySignal(SIGABRT),
              "greenlet 'maker' waits in the initialiser of a static variable, and greenlet 'user' needs what that "
              "makes: neither can go on");
}

TEST_F(greenlet_crash, a_call_once_that_waits_is_named_when_another_needs_it) {
  const auto program = [] {
    set_initialiser_waits(initialiser_waits::are_told);
    manual_clock time;
    hub loop(time);
    std::once_flag flag;
    const auto call = [&] { std::call_once(flag, [] { sleep_for(1h); }); };
    spawn(call)->set_name("maker");
    spawn(call)->set_name("user");
    loop.run_ready();
  };
  EXPECT_EXIT(program(), testing::KilledBySignal(SIGABRT),
              "greenlet 'maker' waits in a function of std::call_once, and greenlet 'user' needs what that makes");
}

// NOLINTNEXTLINE(misc-no-recursion)
int made_by_itself(bool again) {
  static const int made = again ? made_by_itself(false) : 1;
  return made;
}

TEST_F(greenlet_crash, a_static_variable_that_needs_itself_is_named) {
  const auto program = [] { greenlet::make([] { made_by_itself(true); }, {.name = "maker"})->resume(); };
  EXPECT_EXIT(program(), testing::KilledBySignal(SIGABRT),
              "greenlet 'maker' is in the initialiser of a static variable, and needs what that makes");
}

TEST_F(greenlet_crash, a_hub_that_goes_while_a_raw_greenlet_waits_is_an_error) {
  const auto program = [] {
    manual_clock time;
    greenlet_ptr raw = greenlet::make([] { sleep_for(1h); });
    hub loop(time);
    raw->resume();
  };
  EXPECT_EXIT(program(), testing::KilledBySignal(SIGABRT), "a hub is destroyed while greenlets wait in it");
}

}  // namespace
}  // namespace grove
