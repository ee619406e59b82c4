// SPDX-License-Identifier: Apache-2.0
// Texts that others wrote - servers, files, who typed the command - reach a terminal as what can be shown, and a server as
// UTF-8 or not at all.
#include <gmock/gmock.h>

#include "base/text.h"
#include "grove/v1/system.pb.h"
#include "tests/support/child_process.h"
#include "tests/support/server_process.h"
#include "tests/unit/client/cli_fixture.h"

namespace grove::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// Red, a new line, the other direction, a byte that is nothing; and how they are shown.
const std::string evil = "\x1b[31m\n\u202e\xff";
const std::string evil_but_utf8 = "\x1b[31m\n\u202e";
const char* const shown = R"(\x1b[31m\n\u{202e}\xff)";
const char* const shown_but_utf8 = R"(\x1b[31m\n\u{202e})";

/// All lines together have nothing in them that a terminal would obey.
[[nodiscard]] bool is_harmless(std::string text) {
  std::erase(text, '\n');
  return printable(text) == text;
}

class cli_text : public cli_test {
 protected:
  /// The server answers requests for `method` in a way of its own.
  template <class Answer>
  void answer(std::string method, Answer how) {
    actors.change([&](test::fake_server& server) {
      server.on_request = [method, how, next = server.on_request](auto& from, const wire::request_view& request) {
        if (request.method != method) return next(from, request);
        how(from, request);
      };
    });
  }
  void answer_with(std::string method, const google::protobuf::Message& response) {
    answer(std::move(method), [bytes = response.SerializeAsString()](auto& from, const wire::request_view& request) {
      from.respond(request.id, bytes);
    });
  }
};

TEST_F(cli_text, what_a_server_says_of_an_error_is_one_line_without_escape_sequences) {
  answer("Add", [](auto& from, const wire::request_view& request) {
    from.fail(request.id, status_code::aborted, evil + "\ngrove: all is well", outcome::executed);
  });
  EXPECT_EQ(grove({"call", "grove.Counter/a", "Add"}), 1);
  EXPECT_EQ(err, std::string{"grove: ABORTED: "} + shown + "\\ngrove: all is well\n");
  EXPECT_EQ(grove({"bench", "-n", "4", "-c", "1"}), 1);
  EXPECT_THAT(out, HasSubstr(std::string{"4 x ABORTED (executed): "} + shown));
  EXPECT_TRUE(is_harmless(out)) << out;
}

TEST_F(cli_text, the_users_own_arguments_are_shown_and_not_obeyed) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{evil},
                                             {"types", "--" + evil},
                                             {"types", evil},
                                             {"types", "--timeout", evil},
                                             {"types", "--server", evil + ":port"},
                                             {"call", evil, "Get"},
                                             {"call", evil + "/a", "Get"},
                                             {"call", "grove.Counter/" + evil, "Get"},
                                             {"call", "grove.Counter/a", evil},
                                             {"call", "grove.Counter/a", "Get", "@" + evil},
                                             {"call", "grove.Counter/a", "Get", "-m", evil},
                                             {"call", "grove.Counter/a", "Get", "-m", evil + "=a"},
                                             {"call", "grove.Counter/a", "Get", "-m", "a=" + evil},
                                             {"call", "grove.Counter/a", "Get", "--idempotency-key", evil},
                                             {"describe", evil},
                                             {"describe", "grove.Counter", evil},
                                             {"completion", evil},
                                             {"bench", "-n", evil},
                                             {"bench", "--rate", evil},
                                             {"bench", "--scenario", evil},
                                             {"bench", "--type", evil},
                                             {"bench", "--method", evil},
                                             {"bench", "--prefix", evil}}) {
    EXPECT_EQ(grove(arguments), 2) << err;
    EXPECT_THAT(err, HasSubstr(shown));
    EXPECT_TRUE(is_harmless(err)) << err;
    EXPECT_THAT(out, IsEmpty());
  }
}

TEST_F(cli_text, json_that_is_wrong_is_quoted_harmlessly) {
  EXPECT_EQ(grove({"call", "grove.Counter/a", "Add", "{\"" + evil_but_utf8 + "\":1}"}), 1);
  EXPECT_TRUE(is_harmless(err)) << err;
}

TEST_F(cli_text, tables_show_names_that_a_server_gives) {
  v1::SystemTypesResponse types;
  types.add_types()->set_name("shop." + evil_but_utf8);
  types.mutable_types(0)->add_methods()->set_name(evil_but_utf8);
  answer_with("Types", types);
  EXPECT_EQ(grove({"types"}), 0);
  EXPECT_TRUE(is_harmless(out)) << out;
  EXPECT_THAT(out, HasSubstr(std::string{"\nshop."} + shown_but_utf8 + "  " + shown_but_utf8 + "\n"));
  EXPECT_EQ(grove({"types", "--json"}), 0);
  EXPECT_TRUE(is_harmless(out)) << out;
}

TEST_F(cli_text, ps_shows_last_exits_and_versions_that_a_server_gives) {
  v1::SystemWorkersResponse workers;
  workers.set_version(evil_but_utf8);
  workers.add_workers()->set_last_exit(evil_but_utf8);
  answer_with("Workers", workers);
  EXPECT_EQ(grove({"ps"}), 0);
  EXPECT_TRUE(is_harmless(out)) << out;
  EXPECT_THAT(out, AllOf(HasSubstr(std::string{shown_but_utf8} + "\n"),
                         HasSubstr(std::string{"\nserver "} + shown_but_utf8 + ", up")));
}

TEST_F(cli_text, an_example_to_paste_quotes_the_name_that_a_server_gives_to_a_type) {
  answer("Describe", [files = actors.files()](auto& from, const wire::request_view& request) {
    v1::SystemDescribeResponse response;
    *response.mutable_files() = files;
    response.mutable_type()->set_name("$(reboot)'" + evil_but_utf8);
    response.mutable_type()->set_service("grove.v1.Counter");
    response.mutable_type()->add_methods()->set_name("Get");
    from.respond(request.id, response.SerializeAsString());
  });
  EXPECT_EQ(grove({"describe", "grove.Counter", "--example"}), 0);
  EXPECT_EQ(out, std::string{R"(grove call '$(reboot)'\'')"} + shown_but_utf8 + "/KEY' Get '{}'\n");
  EXPECT_EQ(grove({"describe", "grove.Counter"}), 0);
  EXPECT_TRUE(is_harmless(out)) << out;
  EXPECT_EQ(grove({"describe", "grove.Counter", "Gett"}), 1);
  EXPECT_TRUE(is_harmless(err)) << err;
}

TEST_F(cli_text, completion_leaves_out_names_that_a_shell_would_not_take_as_they_are) {
  v1::SystemTypesResponse types;
  for (const char* name : {"$(<\x1b[3m", "a b", "`x`", "--server=evil:1", "-x", "", "a;b", "gr\u00fcn", "..a"})
    types.add_types()->set_name(name);
  types.add_types()->set_name("shop.Cart-2_b");
  for (v1::ActorType& type : *types.mutable_types()) {
    for (const char* name : {"Add", "Add;reboot", "$(<\x1b[3m", "A\tb"})
      type.add_methods()->set_name(name);
    type.mutable_methods(0)->set_request(evil_but_utf8);
  }
  answer_with("Types", types);
  EXPECT_EQ(grove({"__complete", "line", "grove call "}), 0);
  EXPECT_EQ(out, "shop.Cart-2_b/\tAdd\n");
  EXPECT_EQ(grove({"__complete", "line", "grove call shop.Cart-2_b/a "}), 0);
  EXPECT_EQ(out, std::string{"Add\t"} + shown_but_utf8 + "\n");
  EXPECT_EQ(grove({"__complete", "line", "grove describe -"}), 0);
  EXPECT_THAT(out, Not(HasSubstr("evil")));
}

TEST_F(cli_text, an_argument_that_is_no_utf8_is_refused_by_its_name) {
  struct wrong_text {
    std::vector<std::string> arguments;
    const char* complaint;
  };
  for (const auto& [arguments, complaint] : std::vector<wrong_text>{
           {{"call", "grove.\xff/k", "Get"}, R"(the type is no UTF-8: 'grove.\xff')"},
           {{"watch", "grove.Topic/\xe4", "Subscribe"}, R"(the key is no UTF-8: '\xe4')"},
           {{"tell", "grove.Counter/k", "G\xc3"}, R"(the method is no UTF-8: 'G\xc3')"},
           {{"call", "grove.Counter/k", "Get", "-m", "a=\xff"}, R"(the metadata 'a' is no UTF-8: '\xff')"},
           {{"call", "grove.Counter/k", "Get", "-m", "\xff=a"}, R"(a name of the metadata is no UTF-8: '\xff')"},
           {{"describe", "\xed\xa0\x80"}, R"(the type is no UTF-8: '\xed\xa0\x80')"},
           {{"describe", "grove.Counter", "\xff"}, R"(the method is no UTF-8: '\xff')"},
           {{"bench", "--prefix", "\xff", "--json"}, R"(the prefix is no UTF-8: '\xff')"}}) {
    EXPECT_EQ(grove(arguments), 2);
    EXPECT_EQ(err, std::string{"grove: "} + complaint + "\n");
  }
  EXPECT_EQ(grove({"call", "grove.Counter/gr\u00fcn\u4e2d", "Get"}), 0) << err;
}

TEST_F(cli_text, protobuf_says_nothing_to_a_person) {
  answer("Types", [](auto& from, const wire::request_view& request) {
    from.respond(request.id, "\x0a\x03\x0a\x01\xff");  // A type whose name is no UTF-8.
  });
  const test::finished_process types = test::run(
      {.arguments = {test::cli_program(), "types"}, .environment = {{"GROVE_SERVER", actors.address()}}, .input = {}});
  EXPECT_EQ(types.exit.code, 1);
  EXPECT_THAT(types.err,
              AllOf(::testing::StartsWith("grove: "), HasSubstr("INTERNAL: the response is no encoding of its message"),
                    Not(HasSubstr("libprotobuf"))));
}

TEST_F(cli_text, a_slip_for_the_servers_variable_is_seen_by_the_program) {
  const test::finished_process types =
      test::run({.arguments = {test::cli_program(), "types"},
                 .environment = {{"GROVE_SERVER", ""}, {"GROVE_SERVR", actors.address()}},
                 .input = {}});
  EXPECT_EQ(types.exit.code, 2);
  EXPECT_EQ(types.err,
            "grove: environment variable GROVE_SERVR: there is no such setting; did you mean GROVE_SERVER?\n");
}

}  // namespace
}  // namespace grove::cli
