// SPDX-License-Identifier: Apache-2.0
#include "client/cli/cli.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <streambuf>

#include "tests/unit/client/fake_actors.h"

namespace grove::cli {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class cli_test : public ::testing::Test {
 protected:
  int grove(std::vector<std::string> arguments, const std::string& input = "") {
    std::ostringstream to_out;
    const int code = grove_to(to_out, arguments, input);
    out = to_out.str();
    return code;
  }
  int grove_to(std::ostream& to_out, const std::vector<std::string>& arguments, const std::string& input = "") {
    std::istringstream in{input};
    std::ostringstream to_err;
    const environment where{.in = in,
                            .out = to_out,
                            .err = to_err,
                            .out_is_terminal = false,
                            .err_is_terminal = false,
                            .colour = false,
                            .columns = 80,
                            .server_variable = actors.address()};
    const int code = run(arguments, where);
    err = to_err.str();
    return code;
  }

  test::fake_actors actors;
  std::string out;
  std::string err;
};

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
  EXPECT_THAT(err, HasSubstr("cannot read the file " + path));
}

TEST_F(cli_test, tell_prints_nothing) {
  EXPECT_EQ(grove({"tell", "grove.Counter/told", "Add", "{}"}), 0);
  EXPECT_THAT(out, IsEmpty());
  EXPECT_EQ(actors.sum(), 1);
}

TEST_F(cli_test, watch_prints_a_line_an_item) {
  EXPECT_EQ(grove({"watch", "grove.Topic/news", "Subscribe"}), 0);
  EXPECT_EQ(out,
            "{\"sequence\":\"1\",\"text\":\"z\"}\n{\"sequence\":\"2\",\"text\":\"y\"}\n{\"sequence\":\"3\",\"text\":"
            "\"x\"}\n");
}

TEST_F(cli_test, a_timeout_beyond_the_servers_most_is_refused_for_a_call_and_taken_for_a_watch) {
  EXPECT_EQ(grove({"call", "grove.Counter/a", "Get", "--timeout", "1h"}), 1);
  EXPECT_THAT(err, HasSubstr("INVALID_ARGUMENT: the call asks for 1h; call_microseconds_max allows 10m"));
  EXPECT_EQ(grove({"watch", "grove.Topic/news", "Subscribe", "--timeout", "1h"}), 0) << err;
}

/// An output that cannot be written, for a reason.
class closed_output : public std::streambuf {
 public:
  explicit closed_output(int reason) : reason_{reason} {}

 private:
  int overflow(int) override {
    errno = reason_;
    return traits_type::eof();
  }
  int reason_;
};

TEST_F(cli_test, watch_whose_reader_has_gone_is_done) {
  closed_output gone{EPIPE};
  std::ostream to_out{&gone};
  EXPECT_EQ(grove_to(to_out, {"watch", "grove.Topic/news", "Subscribe"}), 0);
  EXPECT_THAT(err, IsEmpty());
}

TEST_F(cli_test, watch_that_cannot_write_fails_and_says_why) {
  closed_output full{ENOSPC};
  std::ostream to_out{&full};
  EXPECT_EQ(grove_to(to_out, {"watch", "grove.Topic/news", "Subscribe"}), 1);
  EXPECT_THAT(err, HasSubstr("cannot write the output: No space left on device"));
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

TEST_F(cli_test, an_unknown_type_is_answered_with_the_nearest) {
  EXPECT_EQ(grove({"call", "grove.Cuonter/a", "Add"}), 1);
  EXPECT_THAT(err, AllOf(HasSubstr("grove: NOT_FOUND: "), HasSubstr("'grove.Counter'")));
}

TEST_F(cli_test, an_unknown_method_is_answered_with_the_nearest_and_all) {
  EXPECT_EQ(grove({"call", "grove.Counter/a", "Rest"}), 1);
  EXPECT_THAT(err, AllOf(HasSubstr("UNIMPLEMENTED: grove.Counter has no method Rest; did you mean Reset?"),
                         HasSubstr("Add, Get, Reset")));
  EXPECT_EQ(grove({"call", "grove.Counter/a", "Withdraw"}), 1);
  EXPECT_THAT(err, HasSubstr("has no method Withdraw. It has: Add, Get, Reset"));
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

struct misuse {
  const char* name;
  std::vector<std::string> arguments;
  const char* complaint;
};

class cli_misuse_test : public cli_test, public ::testing::WithParamInterface<misuse> {};

TEST_P(cli_misuse_test, is_exit_code_2_with_what_is_wrong) {
  EXPECT_EQ(grove(GetParam().arguments), 2);
  EXPECT_THAT(err, HasSubstr(GetParam().complaint));
  EXPECT_THAT(out, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    table, cli_misuse_test,
    ::testing::Values(misuse{"no_command", {}, "--help"}, misuse{"command", {"cal"}, "did you mean call?"},
                      misuse{"option", {"types", "--jsn"}, "there is no option --jsn; did you mean --json?"},
                      misuse{"extra", {"types", "more"}, "one argument too many: more"},
                      misuse{"no_method", {"call", "grove.Counter/a"}, "METHOD"},
                      misuse{"no_slash", {"call", "visits", "Get"}, "\"visits\" is no TYPE/KEY"},
                      misuse{"no_key", {"call", "grove.Counter/", "Get"}, "is no TYPE/KEY"},
                      misuse{"no_type", {"call", "/a", "Get"}, "is no TYPE/KEY"},
                      misuse{"timeout", {"types", "--timeout", "soon"}, "--timeout: \"soon\" is no time"},
                      misuse{"zero", {"types", "--timeout", "0"}, "more than 0"},
                      misuse{"shell", {"completion", "tcsh"}, "tcsh"},
                      misuse{"depth", {"bench", "--depth", "257"}, "the server's limit unfinished_calls, 256"},
                      misuse{"scenario", {"bench", "--scenario", "world-peace"}, "world-peace"}),
    [](const auto& each) { return each.param.name; });

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

TEST_F(cli_test, ps_shows_restarts_and_how_a_worker_ended) {
  EXPECT_EQ(grove({"ps"}), 0);
  EXPECT_THAT(out, AllOf(HasSubstr("RESTARTS"), HasSubstr("3m07s"), HasSubstr("killed by signal 9")));
  EXPECT_EQ(grove({"ps", "--json"}), 0);
  EXPECT_THAT(out, HasSubstr(R"("restarts":1)"));
}

TEST_F(cli_test, completion_knows_every_command_and_option) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    EXPECT_EQ(grove({"completion", shell}), 0);
    for (const char* word : {"call", "describe", "bench", "completion", "scenario", "timeout"}) {
      EXPECT_THAT(out, HasSubstr(word)) << shell;
    }
  }
}

TEST_F(cli_test, bench_counts_what_it_sends_and_verifies_it) {
  EXPECT_EQ(grove({"bench", "-n", "1000", "-c", "3", "-d", "7", "-k", "50", "--threads", "2", "--verify"}), 0);
  EXPECT_THAT(out, AllOf(HasSubstr("1,000"), HasSubstr("p99.9"),
                         HasSubstr("verified  yes: the sum over 50 keys is 1,000; adds: 1,000 acknowledged")));
  EXPECT_EQ(actors.sum(), 1000);
}

TEST_F(cli_test, bench_notices_an_acknowledged_add_that_is_not_there) {
  actors.change([](test::fake_server& server) {
    server.on_request = [next = server.on_request, forgotten = false](auto& from,
                                                                      const wire::request_view& request) mutable {
      if (request.method == "Add" && !std::exchange(forgotten, true)) return from.respond(request.id, "\x08\x01");
      next(from, request);
    };
  });
  EXPECT_EQ(grove({"bench", "-n", "100", "-c", "1", "-k", "5", "--verify"}), 1);
  EXPECT_THAT(err, HasSubstr("not verified: the sum over all keys is 99 and 100 adds were acknowledged"));
}

TEST_F(cli_test, bench_in_the_open_loop_sends_what_is_due) {
  EXPECT_EQ(grove({"bench", "--rate", "10000", "-n", "500", "-c", "4", "--json"}), 0);
  EXPECT_THAT(out,
              AllOf(HasSubstr(R"("loop":"open")"), HasSubstr(R"("acknowledged":500,)"), HasSubstr(R"("failed":0,)")));
}

TEST_F(cli_test, bench_counts_failures_by_code_and_outcome) {
  EXPECT_EQ(grove({"bench", "--method", "Reset", "-n", "20", "-c", "2"}), 1);
  EXPECT_THAT(out, HasSubstr("20 x FAILED_PRECONDITION (executed): this one stays"));
  EXPECT_THAT(err, HasSubstr("no request succeeded"));
}

TEST_F(cli_test, bench_survives_a_connection_that_breaks) {
  actors.change([](test::fake_server& server) {
    server.on_request = [next = server.on_request, requests = 0](auto& from,
                                                                 const wire::request_view& request) mutable {
      if (++requests == 50) return from.drop();
      if (!from.closed) next(from, request);
    };
  });
  EXPECT_EQ(grove({"bench", "-n", "200", "-c", "2", "-d", "4"}), 0);
  EXPECT_THAT(out, AllOf(HasSubstr("UNAVAILABLE (unknown)"), HasSubstr("lost connections  1")));
}

}  // namespace
}  // namespace grove::cli
