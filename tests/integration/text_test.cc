// SPDX-License-Identifier: Apache-2.0
// What clients call their actors is in the log, in shared memory and in the tables of the CLI, whole and on one line.
#include "base/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <string>

#include "tests/support/server_process.h"
#include "tests/support/wire_client.h"

namespace grove::test {
namespace {

using testing::HasSubstr;

/// The line about the death of the only worker, in a turn of the actor with this key.
std::string line_of_a_death_in_a_turn_of(server_process& server, const std::string& key) {
  wire_client client{server.address()};
  client.greet();
  const pid_t worker = server.worker_pid(0);
  send_spins(client, key, 5);
  server.process().wait_for_line("stalled for");
  ::kill(worker, SIGKILL);
  std::string line = server.process().wait_for_line("while running");
  server.process().wait_for_line("ready again");
  return line;
}

TEST(text_of_a_key, is_cut_between_characters_where_a_worker_dies_in_its_turn) {
  server_process server{{.workers = 1, .more = {"--stall-after=20ms"}}};
  std::string key;
  for (int i = 0; i < 30; ++i)
    key += "\u4e2d";
  const std::string line = line_of_a_death_in_a_turn_of(server, key);
  EXPECT_THAT(line, HasSubstr("while running grove.Echo/" + key.substr(0, 39) + "... Spin"));
  const finished_process ps = server.cli({"ps"});
  EXPECT_EQ(ps.exit.code, 0) << ps.err;
  EXPECT_THAT(ps.out, HasSubstr(key.substr(0, 3)));
  EXPECT_TRUE(is_utf8(ps.out));
}

TEST(text_of_a_key, forges_no_line_of_the_log_and_no_escape_sequence) {
  server_process server{{.workers = 1, .more = {"--stall-after=20ms"}}};
  const std::string line = line_of_a_death_in_a_turn_of(server, "a\nb\x1b[2J");
  EXPECT_THAT(line, HasSubstr(R"(while running grove.Echo/a\nb\x1b[2J Spin)"));
  EXPECT_THAT(server.process().error_text(), HasSubstr(R"(a turn of grove.Echo/a\nb\x1b[2J Spin)"));
  EXPECT_EQ(server.process().error_text().find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace grove::test
