// SPDX-License-Identifier: Apache-2.0
// What is said of command lines that are wrong, and the help that keeps them right.
#include <gmock/gmock.h>

#include <algorithm>
#include <regex>

#include "tests/unit/client/cli_fixture.h"

namespace grove::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

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
    ::testing::Values(
        misuse{"no_command", {}, "--help"}, misuse{"command", {"cal"}, "there is no command 'cal'; did you mean call?"},
        misuse{"option", {"types", "--jsn"}, "there is no option --jsn; did you mean --json?"},
        misuse{"extra", {"types", "more"}, "one argument too many: 'more'"},
        misuse{"empty_extra", {"types", ""}, "one argument too many: ''"},
        misuse{"empty_command", {""}, "there is no command ''"},
        misuse{"no_method", {"call", "grove.Counter/a"}, "METHOD"},
        misuse{"no_slash", {"call", "visits", "Get"}, "\"visits\" is no TYPE/KEY"},
        misuse{"no_key", {"call", "grove.Counter/", "Get"}, "is no TYPE/KEY"},
        misuse{"no_type", {"call", "/a", "Get"}, "is no TYPE/KEY"},
        misuse{"timeout", {"types", "--timeout", "soon"}, "--timeout: 'soon' must be a duration, such as 30s or 500ms"},
        misuse{"zero", {"types", "--timeout", "0"}, "more than 0"},
        misuse{"shell", {"completion", "tcsh"}, "SHELL: 'tcsh' must be bash, zsh or fish"},
        misuse{"no_shell", {"completion"}, "SHELL is missing"},
        misuse{"short", {"types", "-o", "json"}, "there is no option -o"},
        misuse{"short_first", {"call", "-o", "json"}, "there is no option -o"},
        misuse{"short_joined", {"ps", "-ojson"}, "there is no option -ojson"},
        misuse{"short_value", {"types", "-o=json"}, "there is no option -o"},
        misuse{"empty_server", {"--server=", "types"}, "--server: there is no value behind its '='"},
        misuse{"empty_server_behind", {"types", "--server=", "x:1"}, "--server: there is no value"},
        misuse{"empty_word", {"types", "--server", ""}, "--server needs a value: HOST:PORT"},
        misuse{"empty_timeout", {"types", "--timeout="}, "--timeout: there is no value behind its '='"},
        misuse{"empty_number", {"bench", "--depth", ""}, "--depth: '' must be a whole number from 1 to"},
        misuse{"empty_short_number", {"bench", "-c="}, "-c: there is no value behind its '='"},
        misuse{"empty_short_text", {"call", "-m=", "a/b", "Get"}, "-m: there is no value behind its '='"},
        misuse{"no_number", {"bench", "-c", "many"}, "--connections: 'many' must be a whole number"},
        misuse{"unit_at_number", {"bench", "-k", "1KiB"}, "--keys: '1KiB' must be a whole number"},
        misuse{"rate", {"bench", "--rate", "-1"}, "--rate"},
        misuse{"no_value", {"types", "--server"}, "--server needs a value: HOST:PORT"},
        misuse{"no_value_long", {"bench", "--duration"}, "--duration needs a value: DURATION"},
        misuse{"twice", {"types", "--server", "a:1", "--server", "b:1"}, "--server is given more than once"},
        misuse{"flag_value", {"types", "--json=maybe"}, "--json takes no value"},
        misuse{"depth", {"bench", "--depth", "257"}, "the server's limits.unfinished-calls-max, 256"},
        misuse{"scenario", {"bench", "--scenario", "world-peace"}, "'world-peace' must be concurrency or parallelism"}),
    [](const auto& each) { return each.param.name; });

TEST_F(cli_test, a_slip_for_the_servers_variable_is_named_instead_of_going_to_another_server) {
  for (const char* slip :
       {"GROVE_SERVR", "GROVE_SERVERS", "GROVE_SEVRER", "GROVE_SERVE", "GROVE_Server", "grove_server"}) {
    variable_names = {"HOME", slip, "GROVE_SERVER"};
    EXPECT_EQ(grove({"ps"}), 2);
    EXPECT_EQ(err, std::string{"grove: environment variable "} + slip +
                       ": there is no such setting; did you mean GROVE_SERVER?\n");
    EXPECT_EQ(grove({"ps", "--server", actors.address()}), 0) << "the option wins over every variable";
    EXPECT_EQ(grove({"ps", "--help"}), 0);
  }
}

TEST_F(cli_test, variables_of_the_server_of_tests_and_of_kubernetes_are_left_alone) {
  variable_names = {"GROVE_SERVER",
                    "GROVE_WORKERS",
                    "GROVE_LISTEN",
                    "GROVE_ADMIN",
                    "GROVE_ACTORS",
                    "GROVE_PIN",
                    "GROVE_STALL_AFTER",
                    "GROVE_RESTART_DELAY",
                    "GROVE_DRAIN_TIMEOUT",
                    "GROVE_CACHE",
                    "GROVE_CPUS",
                    "GROVE_TEST_SEED",
                    "GROVE_TEST_CLI",
                    "GROVE_SERVICE_HOST",
                    "GROVE_SERVICE_PORT",
                    "GROVE_PORT",
                    "GROVE_SERVER_SERVICE_HOST",
                    "GROVE_SERVER_PORT_7400_TCP",
                    "GROVE_SERVER_PORT",
                    "GROVE_",
                    "GROVE",
                    "SERVR",
                    "GROVE_SITE"};
  EXPECT_EQ(grove({"ps"}), 0) << err;
}

/// Words that belong to the parser of the command line, and to no person.
const char* const parsers_words =
    "REQUIRED|UINT|INT in|FLOAT|TEXT:|NUMBER|POSITIVE|\\{bash|Needs:|Excludes:|SUBCOMMAND";

TEST_F(cli_test, help_has_no_words_of_the_parser_and_fits_a_terminal) {
  for (const char* command : {"", "call", "tell", "watch", "types", "describe", "ps", "bench", "completion"}) {
    EXPECT_EQ(grove(*command == 0 ? std::vector<std::string>{"--help"} : std::vector<std::string>{command, "--help"}),
              0);
    EXPECT_FALSE(std::regex_search(out, std::regex{parsers_words})) << out;
    std::istringstream lines{out};
    for (std::string line; std::getline(lines, line);)
      EXPECT_LE(line.size(), 80U) << command << ": " << line;
  }
}

TEST_F(cli_test, errors_have_no_words_of_the_parser) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{{},
                                                                                         {"completion"},
                                                                                         {"bench", "-c"},
                                                                                         {"bench", "-c", "0"},
                                                                                         {"call"},
                                                                                         {"call", "a/b"},
                                                                                         {"types", "--server"}}) {
    EXPECT_EQ(grove(arguments), 2);
    EXPECT_FALSE(std::regex_search(err, std::regex{parsers_words})) << err;
  }
}

TEST_F(cli_test, help_does_not_offer_what_the_server_always_refuses) {
  EXPECT_EQ(grove({"call", "--help"}), 0);
  EXPECT_THAT(out, Not(HasSubstr("idempotency")));
  EXPECT_EQ(grove({"call", "grove.Counter/a", "Get", "--idempotency-key", "once"}), 0);
}

TEST_F(cli_test, help_of_watch_tells_that_it_has_no_end) {
  EXPECT_EQ(grove({"watch", "--help"}), 0);
  EXPECT_THAT(out, HasSubstr("(default: no end)"));
  EXPECT_EQ(grove({"call", "--help"}), 0);
  EXPECT_THAT(out, HasSubstr("(default: 30s)"));
}

}  // namespace
}  // namespace grove::cli
