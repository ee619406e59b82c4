// SPDX-License-Identifier: Apache-2.0
// The CLI as a user types it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <memory>
#include <string>

#include "tests/support/kept_port.h"
#include "tests/support/server_process.h"

namespace grove::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class cli : public testing::Test {
 protected:
  server_process server{{.workers = 2}};
};

TEST_F(cli, adds_and_gets) {
  EXPECT_EQ(server.cli({"call", "grove.Counter/visits", "Add", R"({"by":2})"}).out, "{\"value\":\"2\"}\n");
  EXPECT_EQ(server.cli({"call", "grove.Counter/visits", "Get"}).out, "{\"value\":\"2\"}\n");
}

TEST_F(cli, prints_zero_and_not_an_empty_object) {
  EXPECT_EQ(server.cli({"call", "grove.Counter/new", "Get"}).out, "{\"value\":\"0\"}\n");
}

TEST_F(cli, reads_json_from_standard_input) {
  EXPECT_EQ(server.cli({"call", "grove.Counter/x", "Add", "-"}, R"({"by": 7})").out, "{\"value\":\"7\"}\n");
}

TEST_F(cli, tells_without_waiting_for_a_result) {
  const finished_process tell = server.cli({"tell", "grove.Counter/t", "Add", R"({"by":3})"});
  EXPECT_EQ(tell.exit.code, 0);
  EXPECT_EQ(server.cli({"call", "grove.Counter/t", "Get"}).out, "{\"value\":\"3\"}\n");
}

TEST_F(cli, tell_to_what_does_not_exist_fails) {
  const finished_process tell = server.cli({"tell", "grove.Counte/t", "Add"});
  EXPECT_EQ(tell.exit.code, 1);
  EXPECT_THAT(tell.err, HasSubstr("grove.Counter"));
}

TEST_F(cli, tell_to_a_streaming_method_fails_and_names_the_command_that_reads_it) {
  const finished_process tell = server.cli({"tell", "grove.Topic/news", "Subscribe"});
  EXPECT_EQ(tell.exit.code, 2);
  EXPECT_THAT(tell.err, AllOf(HasSubstr("streaming"), HasSubstr("grove watch grove.Topic/news Subscribe")));
}

TEST_F(cli, watches_what_is_published) {
  child_process watch{{.arguments = {cli_program(), "watch", "grove.Topic/news", "Subscribe"},
                       .environment = {{"GROVE_SERVER", server.address()}},
                       .input = {}}};
  // Subscribed is subscribed when a publication finds somebody.
  while (server.cli({"call", "grove.Topic/news", "Publish", R"({"text":"one"})"}).out.find("\"subscribers\":1") ==
         std::string::npos) {
  }
  EXPECT_EQ(server.cli({"call", "grove.Topic/news", "Publish", R"({"text":"two"})"}).exit.code, 0);
  EXPECT_EQ(server.stop().exit.code, 0);
  // It would wait for the server to come back.
  watch.wait_for_line("grove: the stream was cut (");
  watch.signal(SIGINT);
  const finished_process end = watch.wait();
  EXPECT_EQ(end.exit.code, 130);
  EXPECT_THAT(end.out, AllOf(HasSubstr(R"("text":"one"})"), HasSubstr(R"("text":"two"})"))) << end.err;
}

TEST(cli_watch, goes_on_after_a_restart_of_the_server) {
  const kept_port port;
  auto server = std::make_unique<server_process>(server_settings{.workers = 1, .listen = port.address()});
  child_process watch{{.arguments = {cli_program(), "watch", "grove.Topic/news", "Subscribe"},
                       .environment = {{"GROVE_SERVER", port.address()}},
                       .input = {}}};
  const auto publish = [&server](const std::string& text) {
    while (server->cli({"call", "grove.Topic/news", "Publish", R"({"text":")" + text + R"("})"})
               .out.find("\"subscribers\":1") == std::string::npos) {
    }
  };
  publish("before");
  EXPECT_EQ(server->stop().exit.code, 0);
  EXPECT_THAT(watch.wait_for_line("the stream was cut"), HasSubstr("items may be missing"));
  server = std::make_unique<server_process>(server_settings{.workers = 1, .listen = port.address()});
  publish("after");
  watch.signal(SIGTERM);
  EXPECT_THAT(watch.wait().out, AllOf(HasSubstr("before"), HasSubstr("after")));
}

TEST_F(cli, describe_shows_the_comments_of_the_proto_files) {
  const finished_process result = server.cli({"describe", "grove.Counter"});
  EXPECT_THAT(result.out, AllOf(HasSubstr("A number that many add to."), HasSubstr("Adds `by`, 1 when it is absent")));
  EXPECT_THAT(server.cli({"describe", "grove.Map"}).out, HasSubstr("// Absent: there is no such entry."));
}

TEST_F(cli, example_of_a_request_is_taken) {
  const std::string example = server.cli({"describe", "grove.Map", "Set", "--example"}).out;
  const auto json = example.find('{');
  ASSERT_NE(json, std::string::npos) << example;
  EXPECT_EQ(server.cli({"call", "grove.Map/example", "Set", example.substr(json, example.rfind('}') + 1 - json)}).out,
            "{\"existed\":false}\n");
}

TEST_F(cli, reply_that_cannot_be_written_is_an_error) {
  const auto in_shell = [this](const std::string& command) {
    return run(
        {.arguments = {"/bin/sh", "-c", command},
         .environment = {{"GROVE_SERVER", server.address()}, {"GROVE", cli_program()}, {"SERVE", server_program()}},
         .input = {}});
  };
  for (const char* command : {"call grove.Counter/full Add", "types --json", "--version", "completion bash"}) {
    const finished_process full = in_shell(std::string{"\"$GROVE\" "} + command + " >/dev/full");
    EXPECT_EQ(full.exit.code, 1) << command;
    EXPECT_EQ(full.err, "grove: cannot write the output: No space left on device\n") << command;
  }
  const finished_process server_version = in_shell("\"$SERVE\" --version >/dev/full");
  EXPECT_EQ(server_version.exit.code, 1);
  EXPECT_EQ(server_version.err, "grove-server: cannot write the output: No space left on device\n");
  const finished_process gone = in_shell("\"$GROVE\" completion bash | true");
  EXPECT_EQ(gone.err, "");
}

TEST_F(cli, names_the_field_that_does_not_fit) {
  const finished_process result = server.cli({"call", "grove.Counter/x", "Add", R"({"bye":2})"});
  EXPECT_EQ(result.exit.code, 1);
  EXPECT_THAT(result.err, AllOf(HasSubstr("INVALID_ARGUMENT"), HasSubstr("bye"), HasSubstr("\"by\"")));
}

TEST_F(cli, refuses_json_nested_a_thousand_deep) {
  std::string json;
  for (int i = 0; i < 1000; ++i)
    json += R"({"nested":)";
  json += "{}";
  json += std::string(1000, '}');
  const finished_process result = server.cli({"call", "grove.Echo/x", "Echo", "-"}, json);
  EXPECT_EQ(result.exit.code, 1);
  EXPECT_THAT(result.err, AllOf(HasSubstr("INVALID_ARGUMENT"), HasSubstr("nest")));
}

TEST_F(cli, refuses_a_key_that_is_too_long_and_names_the_limit) {
  const finished_process result = server.cli({"call", "grove.Counter/" + std::string(257, 'k'), "Get"});
  EXPECT_EQ(result.exit.code, 1);
  EXPECT_THAT(result.err, AllOf(HasSubstr("257"), HasSubstr("256")));
}

TEST_F(cli, takes_its_options_before_and_after_the_command) {
  EXPECT_EQ(run({.arguments = {cli_program(), "--server", server.address(), "types"}, .environment = {}, .input = {}})
                .exit.code,
            0);
  EXPECT_EQ(run({.arguments = {cli_program(), "types", "--server", server.address()}, .environment = {}, .input = {}})
                .exit.code,
            0);
}

TEST_F(cli, lists_types_methods_and_workers) {
  EXPECT_THAT(server.cli({"types"}).out, AllOf(HasSubstr("grove.Counter"), HasSubstr("Add, Get, Reset")));
  EXPECT_THAT(server.cli({"describe", "grove.Counter"}).out, HasSubstr("by: int64"));
  EXPECT_THAT(server.cli({"ps"}).out, HasSubstr("up"));
  EXPECT_THAT(server.cli({"ps", "--json"}).out, HasSubstr("\"workers\""));
}

TEST(cli_alone, says_how_to_start_a_server_when_there_is_none) {
  const kept_port nobodys;
  const finished_process result =
      run({.arguments = {cli_program(), "ps", "--server", nobodys.address()}, .environment = {}, .input = {}});
  EXPECT_EQ(result.exit.code, 3);
  EXPECT_THAT(result.err, AllOf(HasSubstr(nobodys.address()), HasSubstr("grove-server")));
}

TEST(cli_alone, refuses_wrong_usage_with_exit_code_2) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"frob"}, {"call"}, {"call", "no-slash", "M"}, {"call", "a/b", "M", "--wrong"}}) {
    process_options options;
    options.arguments = {cli_program()};
    options.arguments.insert(options.arguments.end(), arguments.begin(), arguments.end());
    const finished_process result = run(options);
    EXPECT_EQ(result.exit.code, 2) << arguments[0];
    EXPECT_THAT(result.err, HasSubstr("grove: "));
  }
}

TEST(server_options, that_do_not_exist_are_named_with_the_nearest) {
  const finished_process result =
      run({.arguments = {server_program(), "--worker", "2"}, .environment = {}, .input = {}});
  EXPECT_EQ(result.exit.code, 64);
  EXPECT_THAT(result.err, AllOf(HasSubstr("--worker"), HasSubstr("--workers")));
}

TEST(server_options, port_that_is_taken_is_named) {
  server_process first{{.workers = 1}};
  const finished_process second =
      run({.arguments = {server_program(), "--listen", first.address(), "--admin", "127.0.0.1:0", "--workers", "1"},
           .environment = {},
           .input = {}});
  EXPECT_EQ(second.exit.code, 71);
  EXPECT_THAT(second.err, HasSubstr(first.address()));
}

TEST(server_options, worker_program_by_hand_says_what_it_is_for) {
  const finished_process result = run({.arguments = {worker_program(), "--slot", "0"}, .environment = {}, .input = {}});
  EXPECT_EQ(result.exit.code, 64);
  EXPECT_THAT(result.err, HasSubstr("grove-server"));
}

}  // namespace
}  // namespace grove::test
