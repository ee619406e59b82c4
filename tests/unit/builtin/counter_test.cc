// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdint>

#include "grove/v1/builtin.pb.h"
#include "tests/support/actor_world.h"
#include "worker/builtin/builtin.h"

namespace grove::test {
namespace {

class counter : public actor_world {
 protected:
  counter() : actor_world{add_builtin_types} {}

  static v1::CounterAddRequest by(std::int64_t value) {
    v1::CounterAddRequest request;
    request.set_by(value);
    return request;
  }
};

TEST_F(counter, adds_what_it_is_told_and_1_when_it_is_not) {
  EXPECT_EQ(ask<v1::CounterValue>("grove.Counter", "visits", "Add", by(2)).value(), 2);
  EXPECT_EQ(ask<v1::CounterValue>("grove.Counter", "visits", "Add", v1::CounterAddRequest{}).value(), 3);
  EXPECT_EQ(ask<v1::CounterValue>("grove.Counter", "visits", "Get", v1::CounterGetRequest{}).value(), 3);
}

TEST_F(counter, refuses_a_sum_that_does_not_fit_and_stays_as_it_was) {
  call("grove.Counter", "full", "Add", by(INT64_MAX));
  EXPECT_EQ(call("grove.Counter", "full", "Add", by(1)).code, status_code::out_of_range);
  EXPECT_EQ(ask<v1::CounterValue>("grove.Counter", "full", "Get", v1::CounterGetRequest{}).value(), INT64_MAX);
}

TEST_F(counter, is_0_after_a_reset_that_returns_what_it_was) {
  call("grove.Counter", "visits", "Add", by(7));
  EXPECT_EQ(ask<v1::CounterValue>("grove.Counter", "visits", "Reset", v1::CounterResetRequest{}).value(), 7);
  EXPECT_EQ(ask<v1::CounterValue>("grove.Counter", "visits", "Get", v1::CounterGetRequest{}).value(), 0);
}

TEST_F(counter, is_0_when_nobody_has_added) {
  EXPECT_EQ(ask<v1::CounterValue>("grove.Counter", "new", "Get", v1::CounterGetRequest{}).value(), 0);
}

}  // namespace
}  // namespace grove::test
