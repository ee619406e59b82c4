// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "grove/v1/builtin.pb.h"
#include "tests/support/actor_world.h"
#include "worker/builtin/builtin.h"

namespace grove::test {
namespace {

using namespace std::chrono_literals;

class echo : public actor_world {
 protected:
  echo() : actor_world{add_builtin_types} {}

  static v1::EchoSleepRequest milliseconds(std::uint32_t value) {
    v1::EchoSleepRequest request;
    request.set_milliseconds(value);
    return request;
  }
};

TEST_F(echo, returns_its_text) {
  v1::EchoRequest request;
  request.set_text("hello");
  EXPECT_EQ(ask<v1::EchoResponse>("grove.Echo", "x", "Echo", request).text(), "hello");
}

TEST_F(echo, sleeps_of_one_actor_overlap) {
  for (int i = 0; i < 50; ++i)
    send("grove.Echo", "x", "Sleep", milliseconds(100));
  run();
  EXPECT_EQ(sink.ended.size(), 0U);
  advance(100ms);
  EXPECT_EQ(sink.ended.size(), 50U);
}

TEST_F(echo, refuses_to_sleep_longer_than_a_minute) {
  EXPECT_EQ(call("grove.Echo", "x", "Sleep", milliseconds(60'001)).code, status_code::invalid_argument);
}

TEST_F(echo, refuses_to_spin_longer_than_a_second) {
  v1::EchoSpinRequest request;
  request.set_microseconds(1'000'001);
  EXPECT_EQ(call("grove.Echo", "x", "Spin", request).code, status_code::invalid_argument);
}

TEST_F(echo, refuses_a_request_that_is_nested_deeper_than_the_limit_without_running) {
  v1::EchoRequest request;
  request.set_text(std::string(100, 'x'));
  for (std::uint32_t level = 0; level < bounds.nesting_max; ++level) {
    v1::EchoRequest around;
    *around.mutable_nested() = request;
    request = around;
  }
  EXPECT_EQ(call("grove.Echo", "x", "Echo", request).code, status_code::ok);
  v1::EchoRequest deeper;
  *deeper.mutable_nested() = request;
  const ended_call end = call("grove.Echo", "x", "Echo", deeper);
  EXPECT_EQ(end.code, status_code::invalid_argument);
  EXPECT_EQ(end.result, outcome::not_executed);
  EXPECT_NE(end.text.find("limits.nesting-max"), std::string::npos) << end.text;
}

}  // namespace
}  // namespace grove::test
