// SPDX-License-Identifier: Apache-2.0
// What an operator sets reaches the workers, and a server lives with the least and the most of everything.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/exit_codes.h"
#include "grove/v1/builtin.pb.h"
#include "tests/support/requests.h"
#include "tests/support/server_process.h"
#include "tests/support/wire_client.h"

namespace grove::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// But for the deadlines, which a healthy call must keep on a busy machine as well.
const std::vector<std::string> least{"--limits.frame-bytes-max=64KiB",  "--limits.nesting-max=1",
                                     "--limits.key-bytes-max=1",        "--limits.type-bytes-max=64",
                                     "--limits.method-bytes-max=64",    "--limits.metadata-entries-max=1",
                                     "--limits.unfinished-calls-max=1", "--limits.connections-max=1",
                                     "--limits.mailbox-messages-max=1", "--limits.output-buffer-bytes-max=4KiB",
                                     "--limits.mailbox-bytes-max=1KiB", "--limits.call-depth-max=1",
                                     "--limits.stacks-max=16",          "--limits.call-deadline=20s",
                                     "--limits.call-deadline-max=20s"};

const std::vector<std::string> most{"--limits.frame-bytes-max=16MiB",
                                    "--limits.nesting-max=100",
                                    "--limits.key-bytes-max=65535",
                                    "--limits.type-bytes-max=4KiB",
                                    "--limits.method-bytes-max=4KiB",
                                    "--limits.metadata-entries-max=1000",
                                    "--limits.unfinished-calls-max=65536",
                                    "--limits.connections-max=1000000",
                                    "--limits.mailbox-messages-max=1000000",
                                    "--limits.output-buffer-bytes-max=1GiB",
                                    "--limits.mailbox-bytes-max=1GiB",
                                    "--limits.call-depth-max=100",
                                    "--limits.stacks-max=32000",
                                    "--limits.call-deadline=24h",
                                    "--limits.call-deadline-max=24h"};

TEST(limits, at_their_least_are_announced_and_served_with) {
  server_process server{{.workers = 1, .more = least}};
  wire_client client{server.address()};
  const v1::Limits told = client.greet().limits();
  EXPECT_EQ(told.frame_bytes(), 65'536U);
  EXPECT_EQ(told.nesting(), 1U);
  EXPECT_EQ(told.key_bytes(), 1U);
  EXPECT_EQ(told.type_bytes(), 64U);
  EXPECT_EQ(told.method_bytes(), 64U);
  EXPECT_EQ(told.metadata_entries(), 1U);
  EXPECT_EQ(told.unfinished_calls(), 1U);
  EXPECT_EQ(told.call_microseconds(), 20'000'000U);
  EXPECT_EQ(told.call_microseconds_max(), 20'000'000U);
  EXPECT_EQ(client.call("grove.Counter", "k", "Add", "").code(), 0U);
  EXPECT_THAT(client.call("grove.Counter", "kk", "Add", "").message(), HasSubstr("key_bytes allows 1"));
}

TEST(limits, at_their_most_are_announced_and_served_with) {
  server_process server{{.workers = 2, .more = most}};
  wire_client client{server.address()};
  const v1::Welcome welcome = client.greet(0);
  const v1::Limits& told = welcome.limits();
  EXPECT_EQ(told.frame_bytes(), 16U << 20U);
  EXPECT_EQ(told.type_bytes(), 4'096U);
  EXPECT_EQ(told.method_bytes(), 4'096U);
  EXPECT_EQ(told.metadata_entries(), 1'000U);
  EXPECT_EQ(told.call_microseconds_max(), 86'400'000'000U);

  EXPECT_EQ(client.call("grove.Counter", std::string(65'535, 'k'), "Add", "").code(), 0U);
  EXPECT_THAT(client.call("grove.Counter", std::string(65'536, 'k'), "Add", "").message(),
              AllOf(HasSubstr("key"), HasSubstr("65535")));
  EXPECT_EQ(client.call("grove.Echo", "deep", "Echo", nested_echo(101)).code(), 0U);
  EXPECT_THAT(client.call("grove.Echo", "deep", "Echo", nested_echo(102)).message(),
              HasSubstr("nested deeper than 100"));

  // An actor of the other worker gets the largest frame through the mesh, and its answer comes back.
  const std::string key = keys_of(welcome, "grove.Echo", 1, 1).front();
  v1::EchoRequest large;
  large.set_text(std::string((16U << 20U) - 100, 'x'));
  const v1::Response answer = client.call("grove.Echo", key, "Echo", large.SerializeAsString());
  EXPECT_EQ(answer.code(), 0U) << answer.message();
  EXPECT_EQ(answer.payload().size(), large.ByteSizeLong());
  EXPECT_EQ(server.stop().exit.code, 0);
}

TEST(limits, past_their_most_end_the_server_with_the_code_of_a_bad_configuration) {
  const finished_process refused = run({.arguments = {server_program(), "--limits.frame-bytes-max", "2GiB"}});
  EXPECT_EQ(refused.exit.code, exit_codes::bad_configuration);
  EXPECT_THAT(refused.err,
              HasSubstr("flag --limits.frame-bytes-max: '2GiB' must be a size, such as 2MiB, from 64KiB to 16MiB"));
}

}  // namespace
}  // namespace grove::test
