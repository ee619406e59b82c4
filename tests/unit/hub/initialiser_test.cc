// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <stdexcept>
#include <string>

#include "tests/support/hub_fixture.h"
#include "worker/greenlet/generator.h"
#include "worker/greenlet/initialisers.h"
#include "worker/greenlet/sanitizer.h"
#include "worker/tasks/task.h"

namespace grove {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class initialisers : public hub_fixture {
 protected:
  ~initialisers() override { set_initialiser_waits(initialiser_waits::are_refused); }

  /// What a greenlet that calls `make` gets told for it.
  template <typename Make>
  std::string error_of(Make make) {
    std::string text;
    auto task = spawn([&] {
      try {
        make();
      } catch (const greenlet_error& error) {
        text = error.what();
      }
    });
    task->set_name("maker");
    loop.run_ready();
    advance(1h);
    advance(1h);
    return text;
  }
};

int made_slowly(bool slow) {
  static const int made = [slow] {
    if (slow) sleep_for(1s);
    return 7;
  }();
  return made;
}

TEST_F(initialisers, that_wait_are_refused_and_can_be_run_again) {
  set_initialiser_waits(initialiser_waits::are_refused);
  EXPECT_THAT(error_of([] { made_slowly(true); }),
              HasSubstr("greenlet 'maker' waits in the initialiser of a static variable"));
  EXPECT_EQ(made_slowly(false), 7);
  EXPECT_EQ(error_of([] { sleep_for(1s); }), "") << "nothing is held any more";
}

TEST_F(initialisers, that_give_way_are_refused) {
  set_initialiser_waits(initialiser_waits::are_refused);
  EXPECT_THAT(error_of([] {
                static const int made = (yield(), 1);
                (void)made;
              }),
              HasSubstr("waits in the initialiser"));
}

TEST_F(initialisers, that_wait_in_a_callee_of_a_generator_are_refused) {
  set_initialiser_waits(initialiser_waits::are_refused);
  const auto make = [] {
    static const int made = [] {
      generator<int> values([](genlet<int>& to) {
        sleep_for(1s);
        to.yield(1);
      });
      int sum = 0;
      for (const int value : values)
        sum += value;
      return sum;
    }();
    (void)made;
  };
  EXPECT_THAT(error_of(make), HasSubstr("waits in the initialiser"));
}

TEST_F(initialisers, of_call_once_that_wait_are_refused) {
#ifdef GROVE_TSAN
  GTEST_SKIP() << "ThreadSanitizer's own pthread_once() does not take an exception out of the function for its end";
#endif
  set_initialiser_waits(initialiser_waits::are_refused);
  std::once_flag flag;
  EXPECT_THAT(error_of([&] { std::call_once(flag, [] { sleep_for(1s); }); }),
              HasSubstr("waits in a function of std::call_once"));
  bool called = false;
  std::call_once(flag, [&] { called = true; });
  EXPECT_TRUE(called);
  std::call_once(flag, [] { FAIL(); });
}

TEST_F(initialisers, that_wait_are_told_of_once_with_greenlet_and_stack) {
  set_initialiser_waits(initialiser_waits::are_told);
  std::vector<std::string> told;
  loop.set_error_handler([&](std::string_view where, const std::exception_ptr& error) {
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& thrown) {
      told.push_back(std::string(where) + ": " + thrown.what());
    }
  });
  EXPECT_EQ(error_of([] {
              static const int made = [] {
                sleep_for(1s);
                sleep_for(1s);
                return 7;
              }();
              (void)made;
            }),
            "");
  EXPECT_THAT(told,
              ElementsAre(AllOf(HasSubstr("a wait: greenlet 'maker' waits in the initialiser of a static variable"),
                                HasSubstr("; stack: "), HasSubstr("sleep_for"))));
}

TEST_F(initialisers, are_nobody_elses_business) {
  set_initialiser_waits(initialiser_waits::are_told);
  int reports = 0;
  loop.set_error_handler([&](std::string_view, const std::exception_ptr&) { ++reports; });
  spawn([] {
    static const int made = (sleep_for(1s), 1);
    (void)made;
  });
  loop.run_ready();
  EXPECT_EQ(reports, 1);
  spawn([] { sleep_for(1s); });
  spawn([] {
    static const int other = 7;
    std::once_flag flag;
    std::call_once(flag, [] {});
    sleep_for(1s);
    EXPECT_EQ(other, 7);
  });
  advance(1s);
  advance(1s);
  EXPECT_EQ(reports, 1) << "others wait while it does";
}

}  // namespace
}  // namespace grove
