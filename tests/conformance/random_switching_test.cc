// SPDX-License-Identifier: Apache-2.0

// Greenlets that switch, throw, end and start in random order, each step foretold by a model that knows nothing of
// stacks. The same as PyPy's test_translated does with continulets.

#include <gtest/gtest.h>

#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/seed.h"
#include "worker/greenlet/greenlet.h"

namespace grove {
namespace {

constexpr std::size_t units = 50;
constexpr int switches = 50'000;

struct thrown_number {
  int number;
};

/// What arrives at a switch, and what the model says must arrive.
struct arrival {
  bool is_thrown = false;
  int number = 0;
  bool operator==(const arrival&) const = default;
};

class random_switching : public testing::TestWithParam<stack_class> {
 protected:
  struct unit {
    greenlet_ptr handle;
    bool started = false;
    int depth = 0;  // frames that it has below its present switch
  };

  /// Who gets what is sent to `to`: a dead unit's parent is the main flow.
  std::size_t receiver(std::size_t to) const { return to < units && units_[to].handle->dead() ? units : to; }

  int pick(int below) { return std::uniform_int_distribution<int>(0, below - 1)(dice_); }

  /// One switch from `self`, then others' turns, until somebody comes back; what came is what was foretold.
  void step(std::size_t self) {
    const auto to = static_cast<std::size_t>(pick(static_cast<int>(units) + 1));
    const int number = pick(1'000'000);
    const bool throws = pick(8) == 0;
    ++done_;
    // The body of an unstarted unit that is thrown into never runs, and its parent gets it.
    const bool never_runs = to < units && throws && !units_[to].started;
    expected_at_ = never_runs ? units : receiver(to);
    expected_ = {throws, number};
    if (never_runs) units_[to].started = true;
    greenlet& target = to < units ? *units_[to].handle : greenlet::main();
    check(self, exchange_with(target, throws, number));
  }

  static arrival exchange_with(greenlet& target, bool throws, int number) {
    try {
      if (throws) return of(target.throw_in(std::make_exception_ptr(thrown_number{number})));
      return of(target.switch_to(number));
    } catch (const thrown_number& caught) {
      return {true, caught.number};
    }
  }
  static arrival of(switch_value passed) { return {false, passed.take<int>()}; }

  void check(std::size_t self, const arrival& seen) {
    ASSERT_EQ(self, expected_at_);
    ASSERT_EQ(seen, expected_);
    ASSERT_TRUE(self == units ? greenlet::current().is_main() : units_[self].handle->is_current());
  }

  /// Switches at varying depths, so that frames of each lie above others.
  void live(std::size_t self) {
    ++units_[self].depth;
    volatile char room[64] = {static_cast<char>(self)};
    for (;;) {
      step(self);
      ASSERT_EQ(room[0], static_cast<char>(self));
      const int next = pick(20);
      if (next == 0 || done_ >= switches) break;
      if (next == 1 && units_[self].depth < 12) live(self);
      if (testing::Test::HasFatalFailure()) break;
    }
    --units_[self].depth;
  }

  void make(std::size_t at) {
    units_[at] = {};
    units_[at].handle = greenlet::make(
        [this, at](switch_value passed) {
          units_[at].started = true;
          check(at, of(std::move(passed)));
          live(at);
          const int result = pick(1'000'000);
          const bool fails = pick(4) == 0;
          expected_at_ = units;
          expected_ = {fails, result};
          if (fails) throw thrown_number{result};
          return result;
        },
        {.stack = GetParam()});
  }

  std::vector<unit> units_{units};
  std::mt19937 dice_;
  int done_ = 0;
  std::size_t expected_at_ = units;
  arrival expected_;
};

TEST_P(random_switching, of_greenlets_follows_the_model) {
  dice_.seed(test::seed());
  for (std::size_t at = 0; at < units; ++at)
    make(at);
  while (done_ < switches && !HasFatalFailure()) {
    step(units);
    for (std::size_t at = 0; at < units; ++at)
      if (units_[at].handle->dead()) make(at);
  }
  EXPECT_GE(done_, switches);
  for (unit& each : units_)
    each.handle.reset();
}

INSTANTIATE_TEST_SUITE_P(on, random_switching, testing::Values(stack_class::small, stack_class::sliced),
                         [](const auto& from) {
                           return from.param == stack_class::small ? std::string("own_stacks") : std::string("sliced");
                         });

}  // namespace
}  // namespace grove
