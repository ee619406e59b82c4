// SPDX-License-Identifier: Apache-2.0

// Programs that end while greenlets live. Each must end with the exit code that it wants: no crash, no hang, and no
// code of a greenlet runs any more.

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "worker/greenlet/context.h"
#include "worker/greenlet/greenlet.h"
#include "worker/greenlet/metering.h"
#include "worker/greenlet/sanitizer.h"
#include "worker/greenlet/trace.h"

#ifdef GROVE_ASAN
// What greenlets own that live when the program ends is never freed, and LeakSanitizer looks at one stack only.
extern "C" const char* __asan_default_options() {  // NOLINT(bugprone-reserved-identifier)
  return "detect_leaks=0";
}
#endif

namespace grove {
namespace {

/// A frame that must not be left.
struct untouched {
  ~untouched() {
    std::fputs("a destructor ran\n", stderr);
    std::_Exit(1);
  }
};

greenlet_ptr make_suspended(stack_class stack = stack_class::small) {
  greenlet_ptr made = greenlet::make(
      [] {
        const untouched guard;
        greenlet::main().resume();
      },
      {.stack = stack});
  made->resume();
  return made;
}

/// Lives as long as the program.
template <typename T>
T& never_destroyed() {
  static T* made = new T();
  return *made;
}

void one_suspended() {
  never_destroyed<greenlet_ptr>() = make_suspended();
}

void many_suspended_of_every_kind() {
  auto& all = never_destroyed<std::vector<greenlet_ptr>>();
  for (const stack_class kind : {stack_class::small, stack_class::large, stack_class::sliced}) {
    for (int i = 0; i < 10; ++i)
      all.push_back(make_suspended(kind));
  }
}

void nested() {
  // NOLINTNEXTLINE(misc-no-recursion)
  static const std::function<void(int)> go = [](int depth) {
    const untouched guard;
    if (depth == 0) std::exit(3);
    greenlet::make([depth] { go(depth - 1); })->resume();
  };
  go(50);
}

void from_inside_a_greenlet() {
  greenlet_ptr other = make_suspended();
  greenlet::make([] {
    const untouched guard;
    std::exit(3);
  })->resume();
}

void handles_in_statics() {
  static greenlet_ptr early;
  early = make_suspended();
  static greenlet_ptr main_handle(&greenlet::main());
  static std::vector<greenlet_ptr> chain{greenlet::make([] {})};
  for (int i = 0; i < 1000; ++i)
    chain.push_back(greenlet::make([] {}, {.parent = chain.back().get()}));
}

void other_threads_wait() {
  std::promise<void> ready;
  std::thread([&ready] {
    never_destroyed<greenlet_ptr>() = make_suspended();
    ready.set_value();
    std::promise<void>().get_future().wait();
  }).detach();
  ready.get_future().wait();
}

void another_threads_handle_is_dropped_late() {
  std::promise<greenlet_ptr> made;
  std::thread([&made] {
    made.set_value(make_suspended());
    std::promise<void>().get_future().wait();
  }).detach();
  static greenlet_ptr held;
  held = made.get_future().get();
}

/// All that may be called while the program ends.
void use_greenlets() {
  static const context_var<int> number(1);
  set_trace([](trace_event, greenlet&, greenlet&) {});
  number.set(2);
  greenlet_ptr child = greenlet::make([](int passed) { return passed + *number.get(); });
  if (child->switch_for<int>(40) != 41 || !child->dead()) std::_Exit(1);
  set_trace(nullptr);
  if (count_greenlets().greenlets < 2) std::_Exit(1);
}

void used_at_exit() {
  std::atexit(&use_greenlets);
  one_suspended();
  use_greenlets();
}

void used_by_static_destructors() {
  struct user {
    ~user() { use_greenlets(); }
  };
  static const user late;
  one_suspended();
}

void used_by_thread_local_destructors() {
  struct user {
    bool armed = false;
    ~user() {
      if (armed) use_greenlets();
    }
  };
  std::thread([] {
    // It is made before the state of the greenlets, so it goes after that.
    static thread_local user late;
    late.armed = true;
    use_greenlets();
  }).join();
  if (count_greenlets().threads > 1) std::_Exit(1);
}

void a_trace_is_set() {
  one_suspended();
  set_trace([](trace_event, greenlet&, greenlet&) { std::_Exit(1); });
}

struct ending {
  const char* name;
  void (*program)();
};

class greenlet_exit_code : public testing::TestWithParam<ending> {
 protected:
  greenlet_exit_code() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_P(greenlet_exit_code, is_what_the_program_says) {
  const auto run = [] {
    GetParam().program();
    std::exit(3);
  };
  EXPECT_EXIT(run(), testing::ExitedWithCode(3), "^$");
}

INSTANTIATE_TEST_SUITE_P(with, greenlet_exit_code,
                         testing::Values(ending{"one_suspended", &one_suspended},
                                         ending{"many_suspended_of_every_kind", &many_suspended_of_every_kind},
                                         ending{"nested", &nested},
                                         ending{"from_inside_a_greenlet", &from_inside_a_greenlet},
                                         ending{"handles_in_statics", &handles_in_statics},
                                         ending{"other_threads_wait", &other_threads_wait},
                                         ending{"another_threads_handle", &another_threads_handle_is_dropped_late},
                                         ending{"used_at_exit", &used_at_exit},
                                         ending{"used_by_static_destructors", &used_by_static_destructors},
                                         ending{"used_by_thread_local_destructors", &used_by_thread_local_destructors},
                                         ending{"a_trace_is_set", &a_trace_is_set}),
                         [](const auto& from) { return std::string(from.param.name); });

}  // namespace
}  // namespace grove
