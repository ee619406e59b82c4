// SPDX-License-Identifier: Apache-2.0
#include "worker/greenlet/exchange.h"

#include <gtest/gtest.h>

#include <cstddef>

#include "worker/greenlet/stack.h"

namespace grove {
namespace {

constexpr int turns = 5;

/// Two flows that take turns, each with a number that nothing but a register has to hold.
template <typename Number>
class taking_turns : public execution_context {
 public:
  taking_turns() : taken_(*pool_.try_take()) {
    fiber.adopt();
    prepare(other_, taken_.base(), taken_.top(), &taking_turns::begin);
  }
  ~taking_turns() { other_.fiber.forget(); }
  taking_turns(const taking_turns&) = delete;
  taking_turns& operator=(const taking_turns&) = delete;

  /// The sum that this flow comes to; the other's is other_sum().
  __attribute__((noinline)) Number run(Number first) {
    exception_state& of_thread = thread_exceptions();
    Number sum = first;
    for (int i = 0; i < turns; ++i) {
      exchange(*this, other_, of_thread);
      sum = sum * 3 + first;
    }
    return sum;
  }
  [[nodiscard]] Number other_sum() const { return other_sum_; }

 private:
  static void begin(void* left) {
    auto& self = static_cast<taking_turns&>(*static_cast<execution_context*>(left));
    greenlets::detail::arrive(self.other_, left);
    exception_state& of_thread = thread_exceptions();
    Number sum = 7;
    for (int i = 1; i < turns; ++i) {
      exchange(self.other_, self, of_thread);
      sum = sum * 5 + 1;
    }
    self.other_sum_ = sum;
    leave_for_ever(self.other_, self, of_thread);
  }

  stack_pool pool_;
  stack taken_;
  execution_context other_;
  Number other_sum_ = 0;
};

template <typename Number>
class an_exchange : public testing::Test {};
using numbers = testing::Types<long, double, long double>;
TYPED_TEST_SUITE(an_exchange, numbers);

TYPED_TEST(an_exchange, keeps_numbers_that_live_in_registers) {
  taking_turns<TypeParam> both;
  EXPECT_EQ(both.run(2), TypeParam(728));
  EXPECT_EQ(both.other_sum(), TypeParam(4531));
}

}  // namespace
}  // namespace grove
