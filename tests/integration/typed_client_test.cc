// SPDX-License-Identifier: Apache-2.0
// The clients that protoc-gen-grove makes, against a real server.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "grove/v1/builtin.client.h"
#include "tests/support/server_process.h"

namespace grove::test {
namespace {

client_options options_for(const server_process& server) {
  client_options options;
  options.servers = {server_address{.host = "127.0.0.1", .port = server.port()}};
  return options;
}

TEST(typed_client, calls_methods_as_functions) {
  const server_process server;
  client through{options_for(server)};
  v1::CounterClient counters{through};
  v1::CounterAddRequest add;
  add.set_by(40);
  EXPECT_EQ(counters.Add("visits", add).value(), 40);
  add.set_by(2);
  EXPECT_EQ(counters.Add("visits", add).value(), 42);
}

TEST(typed_client, throws_the_servers_status) {
  const server_process server;
  client through{options_for(server)};
  v1::EchoClient echo{through};
  v1::EchoSleepRequest sleep;
  sleep.set_milliseconds(60'001);
  try {
    (void)echo.Sleep("x", sleep);
    FAIL() << "nothing was thrown";
  } catch (const call_error& e) {
    EXPECT_EQ(e.code(), status_code::invalid_argument);
  }
}

}  // namespace
}  // namespace grove::test
