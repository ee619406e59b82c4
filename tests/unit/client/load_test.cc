// SPDX-License-Identifier: Apache-2.0
#include "client/load/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "base/exit_codes.h"
#include "client/cli/internal/bench_command.h"
#include "tests/support/kept_port.h"

namespace grove {
namespace {

load_options few_requests(const test::kept_port& to) {
  load_options load;
  load.server.port = to.number();
  load.type = "grove.Counter";
  load.method = "Add";
  load.connections = load.depth = load.keys = 1;
  load.requests = 1;
  return load;
}

TEST(load, of_a_server_that_is_not_there_is_a_status) {
  const test::kept_port nobody;
  try {
    (void)run_load(few_requests(nobody), {}, {});
    FAIL() << "nobody listens there";
  } catch (const status_error& refused) {
    EXPECT_EQ(refused.code(), status_code::unavailable);
    EXPECT_THAT(refused.what(), testing::StartsWith("cannot connect to " + nobody.address()));
  }
}

TEST(load, of_a_server_that_is_not_there_ends_the_command_with_3) {
  const test::kept_port nobody;
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  const cli::environment where{.in = in, .out = out, .err = err};
  cli::progress_bar bar{where, "load"};
  try {
    (void)cli::detail::run_shown(few_requests(nobody), {}, bar);
    FAIL() << "nobody listens there";
  } catch (const cli::command_error& refused) {
    EXPECT_EQ(refused.code(), exit_codes::server_unreachable);
    EXPECT_THAT(refused.what(), testing::StartsWith("UNAVAILABLE: cannot connect to " + nobody.address()));
  }
}

}  // namespace
}  // namespace grove
