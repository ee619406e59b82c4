// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "tests/unit/client/cli_fixture.h"

namespace grove::cli {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST_F(cli_test, call_prints_the_reply_as_json) {
  EXPECT_EQ(grove({"call", "grove.Counter/visits", "Add", R"({"by":2})"}), 0);
  EXPECT_EQ(out, "{\"value\":\"2\"}\n");
  EXPECT_THAT(err, IsEmpty());
}

TEST_F(cli_test, a_field_with_its_default_value_is_printed) {
  EXPECT_EQ(grove({"call", "grove.Counter/none", "Get"}), 0);
  EXPECT_EQ(out, "{\"value\":\"0\"}\n");
}

TEST_F(cli_test, json_comes_from_the_standard_input) {
  EXPECT_EQ(grove({"call", "grove.Counter/in", "Add", "-"}, R"({"by":"7"})"), 0);
  EXPECT_EQ(out, "{\"value\":\"7\"}\n");
}

TEST_F(cli_test, an_empty_argument_is_no_json_and_none_at_all_is_an_empty_object) {
  EXPECT_EQ(grove({"call", "grove.Counter/a", "Get", ""}), 1);
  EXPECT_THAT(err, HasSubstr("INVALID_ARGUMENT: this is not JSON: it is empty"));
  EXPECT_EQ(grove({"call", "grove.Counter/a", "Get"}), 0);
}

TEST_F(cli_test, json_comes_from_a_file) {
  const std::string path = ::testing::TempDir() + "grove_cli_test." + std::to_string(::getpid()) + ".json";
  std::ofstream{path} << R"({"by":9})";
  EXPECT_EQ(grove({"call", "grove.Counter/file", "Add", "@" + path}), 0);
  EXPECT_EQ(out, "{\"value\":\"9\"}\n");
  std::remove(path.c_str());
  EXPECT_EQ(grove({"call", "grove.Counter/file", "Add", "@" + path}), 2);
  EXPECT_THAT(err, HasSubstr("cannot read the file " + path + ": No such file or directory"));
}

TEST_F(cli_test, a_file_for_json_that_is_none_is_named) {
  EXPECT_EQ(grove({"call", "grove.Counter/file", "Add", "@"}), 2);
  EXPECT_THAT(err, HasSubstr("the name of a file is missing behind @"));
  EXPECT_EQ(grove({"call", "grove.Counter/file", "Add", "@/tmp"}), 2);
  EXPECT_THAT(err, HasSubstr("cannot read the file /tmp: it is a folder"));
  EXPECT_EQ(actors.sum(), 0);
}

TEST_F(cli_test, tell_prints_nothing) {
  EXPECT_EQ(grove({"tell", "grove.Counter/told", "Add", "{}"}), 0);
  EXPECT_THAT(out, IsEmpty());
  EXPECT_EQ(actors.sum(), 1);
}

TEST_F(cli_test, a_timeout_beyond_the_servers_most_is_refused_for_a_call_and_taken_for_a_watch) {
  EXPECT_EQ(grove({"call", "grove.Counter/a", "Get", "--timeout", "1h"}), 1);
  EXPECT_THAT(err, HasSubstr("INVALID_ARGUMENT: the call asks for 1h; call_microseconds_max allows 10m"));
  EXPECT_EQ(grove({"watch", "grove.Topic/news", "Subscribe", "--timeout", "1h"}), 0) << err;
}

TEST_F(cli_test, a_timeout_that_cannot_be_enough_never_is) {
  for (const std::string timeout : {"1us", "2us", "0.5us"}) {
    EXPECT_NE(grove({"call", "grove.Counter/a", "Add", "--timeout", timeout}), 0) << timeout;
    EXPECT_THAT(out, IsEmpty());
    EXPECT_NE(grove({"tell", "grove.Counter/a", "Add", "--timeout", timeout}), 0) << timeout;
  }
  EXPECT_EQ(actors.sum(), 0);
}

TEST_F(cli_test, a_timeout_beyond_all_is_refused_by_the_servers_most) {
  EXPECT_EQ(grove({"call", "grove.Counter/a", "Get", "--timeout", "2628000h"}), 1);
  EXPECT_THAT(err, HasSubstr("the call asks for 277777h; call_microseconds_max allows 10m (limits.call-deadline-max)"));
}

TEST_F(cli_test, metadata_is_sent_with_the_call_and_a_wrong_one_is_wrong_usage) {
  EXPECT_EQ(grove({"call", "grove.Counter/m", "Add", "-m", "tenant=blue", "--metadata", "empty=", "{}"}), 0);
  EXPECT_THAT(actors.metadata(), ElementsAre("tenant=blue", "empty="));
  for (const char* wrong : {"tenant", "=blue"}) {
    EXPECT_EQ(grove({"call", "grove.Counter/m", "Add", "-m", wrong}), 2);
    EXPECT_THAT(err, HasSubstr("is no NAME=VALUE"));
  }
}

TEST_F(cli_test, an_error_of_the_call_goes_to_stderr_with_its_code) {
  EXPECT_EQ(grove({"call", "grove.Counter/a", "Reset"}), 1);
  EXPECT_EQ(err, "grove: FAILED_PRECONDITION: this one stays\n");
  EXPECT_THAT(out, IsEmpty());
}

TEST_F(cli_test, a_not_found_of_the_handler_is_told_from_one_of_the_server) {
  actors.change([](test::fake_server& server) {
    server.on_request = [next = server.on_request](auto& from, const wire::request_view& request) {
      if (request.method == "Get") {
        return from.fail(request.id, status_code::not_found, "no such entry", outcome::executed);
      }
      next(from, request);
    };
  });
  EXPECT_EQ(grove({"call", "grove.Counter/a", "Get"}), 1);
  EXPECT_EQ(err, "grove: NOT_FOUND: no such entry (said by the handler of grove.Counter/a)\n");
  EXPECT_EQ(grove({"call", "grove.Cuonter/a", "Get"}), 1);
  EXPECT_THAT(err, AllOf(HasSubstr("NOT_FOUND: no actor type 'grove.Cuonter'"), Not(HasSubstr("handler"))));
}

TEST_F(cli_test, an_unknown_type_is_answered_with_the_nearest) {
  EXPECT_EQ(grove({"call", "grove.Cuonter/a", "Add"}), 1);
  EXPECT_THAT(err, AllOf(HasSubstr("grove: NOT_FOUND: "), HasSubstr("'grove.Counter'")));
}

TEST_F(cli_test, an_unknown_method_is_answered_with_the_nearest_and_all) {
  EXPECT_EQ(grove({"call", "grove.Counter/a", "Rest"}), 1);
  EXPECT_THAT(err, AllOf(HasSubstr("UNIMPLEMENTED: grove.Counter has no method 'Rest'; did you mean Reset?"),
                         HasSubstr("Add, Get, Reset")));
  EXPECT_EQ(grove({"call", "grove.Counter/a", "Withdraw"}), 1);
  EXPECT_THAT(err, HasSubstr("has no method 'Withdraw'. It has: Add, Get, Reset"));
  EXPECT_EQ(grove({"call", "grove.Counter/a", ""}), 1);
  EXPECT_THAT(err, HasSubstr("has no method ''. It has: Add, Get, Reset"));
}

TEST_F(cli_test, streaming_and_single_methods_are_not_mixed_up) {
  EXPECT_EQ(grove({"call", "grove.Topic/a", "Subscribe"}), 2);
  EXPECT_THAT(err, HasSubstr("use: grove watch grove.Topic/a Subscribe"));
  EXPECT_EQ(grove({"watch", "grove.Counter/a", "Get"}), 2);
  EXPECT_THAT(err, HasSubstr("use: grove call grove.Counter/a Get"));
}

TEST_F(cli_test, an_unreachable_server_is_exit_code_3_with_advice) {
  actors.change([](test::fake_server& server) { server.stop_listening(); });
  EXPECT_EQ(grove({"call", "grove.Counter/a", "Get"}), 3);
  EXPECT_THAT(err, AllOf(HasSubstr("grove: UNAVAILABLE: cannot connect to " + actors.address()),
                         HasSubstr("tried: " + actors.address() + " (GROVE_SERVER)"), HasSubstr("grove-server")));
}

TEST_F(cli_test, the_servers_option_wins_over_the_variable) {
  EXPECT_EQ(grove({"types", "--server", "nonsense:port"}), 2);
  EXPECT_THAT(err, HasSubstr("--server: the server's address \"nonsense:port\""));
}

TEST_F(cli_test, a_server_that_never_answers_ends_at_the_timeout) {
  actors.change([](test::fake_server& server) { server.on_request = [](auto&, const wire::request_view&) {}; });
  // Long enough to connect on a machine that is busy: the option limits that, too.
  EXPECT_EQ(grove({"types", "--timeout", "2500ms"}), 1);
  EXPECT_THAT(err, HasSubstr("DEADLINE_EXCEEDED: no answer within 2500 ms (it may have run)"));
}

TEST_F(cli_test, every_command_has_help_with_an_example) {
  for (const char* command : {"call", "tell", "watch", "types", "describe", "ps", "bench", "completion"}) {
    EXPECT_EQ(grove({command, "--help"}), 0);
    EXPECT_THAT(out, AllOf(HasSubstr("Example"), HasSubstr(std::string{"grove "} + command))) << command;
  }
  EXPECT_EQ(grove({"--help"}), 0);
  EXPECT_THAT(out, HasSubstr("Exit codes: 0 done, 1 the call failed, 2 wrong usage, 3 server unreachable."));
  EXPECT_EQ(grove({"--version"}), 0);
  EXPECT_THAT(out, HasSubstr("grove "));
}

TEST_F(cli_test, types_are_a_table_or_json) {
  EXPECT_EQ(grove({"types"}), 0);
  EXPECT_EQ(out, "TYPE           METHODS\ngrove.Counter  Add, Get, Reset\n");
  EXPECT_EQ(grove({"types", "--json"}), 0);
  EXPECT_THAT(out, HasSubstr(R"({"types":[{"name":"grove.Counter")"));
}

TEST_F(cli_test, describe_shows_methods_and_fields) {
  EXPECT_EQ(grove({"describe", "grove.Counter"}), 0);
  EXPECT_THAT(
      out, AllOf(HasSubstr("grove.v1.CounterAddRequest"), HasSubstr("by: int64, optional"), HasSubstr("value: int64")));
}

TEST_F(cli_test, describe_shows_the_comments_of_the_proto_file) {
  EXPECT_EQ(grove({"describe", "grove.Counter"}), 0);
  EXPECT_THAT(out, AllOf(HasSubstr("A number that many add to."),
                         HasSubstr("\nAdd\n  Adds `by`, 1 when it is absent, and returns the sum.")));
  EXPECT_EQ(grove({"describe", "grove.Map"}), 0);
  EXPECT_THAT(out, HasSubstr("A small ordered map"));
}

TEST_F(cli_test, describe_shows_one_method_and_an_example_to_paste) {
  EXPECT_EQ(grove({"describe", "grove.Counter", "Add"}), 0);
  EXPECT_THAT(out, AllOf(HasSubstr("grove.v1.CounterAddRequest"), Not(HasSubstr("CounterResetRequest"))));
  EXPECT_EQ(grove({"describe", "grove.Counter", "Add", "--example"}), 0);
  EXPECT_EQ(out, "grove call grove.Counter/KEY Add '{\"by\":\"1\"}'\n");
  EXPECT_EQ(grove({"describe", "grove.Counter", "Ad"}), 1);
  EXPECT_THAT(err, HasSubstr("did you mean Add?"));
}

TEST_F(cli_test, ps_shows_restarts_and_how_a_worker_ended) {
  EXPECT_EQ(grove({"ps"}), 0);
  EXPECT_THAT(out, AllOf(HasSubstr("RESTARTS"), HasSubstr("3m07s"), HasSubstr("killed by signal 9")));
  EXPECT_EQ(grove({"ps", "--json"}), 0);
  EXPECT_THAT(out, HasSubstr(R"("restarts":1)"));
}

}  // namespace
}  // namespace grove::cli
