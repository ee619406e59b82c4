// SPDX-License-Identifier: Apache-2.0
// What the plugin refuses, with the place and the way out in its error.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/child_process.h"
#include "tests/support/temporary_folder.h"

namespace grove::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

struct plugin_refuses : testing::Test {
  /// What protoc prints with this file, which stands behind the usual first lines; empty when it takes it.
  std::string error_of(const std::string& body, const std::string& package = "bank") {
    std::ofstream{folder.path() / "bank.proto"} << "syntax = \"proto3\";\n"
                                                << (package.empty() ? "" : "package " + package + ";") << "\n"
                                                << "import \"grove/v1/options.proto\";\n"
                                                << body;
    const finished_process end = run({.arguments = {GROVE_PROTOC, "--proto_path=" + folder.path().string(),
                                                    std::string{"--proto_path="} + GROVE_PROTO_ROOT,
                                                    std::string{"--plugin=protoc-gen-grove="} + GROVE_PLUGIN,
                                                    "--grove_out=" + folder.path().string(), "bank.proto"},
                                      .environment = {},
                                      .input = {}});
    EXPECT_EQ(end.exit.code == 0, end.err.empty()) << end.err;
    return end.err;
  }
  /// The same for a service `S` with these lines in it, from line 6 on.
  std::string error_of_service(const std::string& lines, const std::string& behind = "") {
    return error_of("message M {}\nservice S { option (grove.v1.actor) = {};\n" + lines + "}\n" + behind);
  }

  temporary_folder folder;
};

TEST_F(plugin_refuses, nothing_that_is_in_order) {
  EXPECT_EQ(error_of_service("rpc Do(M) returns (M);\n"), "");
}

TEST_F(plugin_refuses, messages_without_descriptors) {
  EXPECT_THAT(
      error_of("option optimize_for = LITE_RUNTIME;\nmessage M {}\nservice S { option (grove.v1.actor) = {}; rpc "
               "Do(M) returns (M); }\n"),
      AllOf(HasSubstr("bank.proto:4:1: optimize_for = LITE_RUNTIME"), HasSubstr("take the option away")));
}

TEST_F(plugin_refuses, protobufs_own_services) {
  EXPECT_THAT(
      error_of("\noption cc_generic_services = true;\nmessage M {}\nservice S { option (grove.v1.actor) = {}; rpc "
               "Do(M) returns (M); }\n"),
      HasSubstr("bank.proto:5:1: cc_generic_services makes a C++ class of the same name"));
}

TEST_F(plugin_refuses, a_message_that_is_named_as_the_client_of_a_service) {
  EXPECT_THAT(error_of_service("rpc Do(M) returns (M);\n", "message SClient {}\n"),
              HasSubstr("bank.proto:5:1: service 'S' makes a C++ class SClient, but SClient is taken"));
}

TEST_F(plugin_refuses, a_nested_message_whose_class_is_named_as_a_service) {
  EXPECT_THAT(
      error_of("message M { message N {} }\nservice M_N { option (grove.v1.actor) = {}; rpc Do(M) returns (M); }\n"),
      HasSubstr("bank.proto:5:1: service 'M_N' makes a C++ class M_N, but M_N is taken"));
}

TEST_F(plugin_refuses, a_service_that_is_named_as_the_client_of_another) {
  EXPECT_THAT(error_of_service("rpc Do(M) returns (M);\n",
                               "service SClient { option (grove.v1.actor) = {}; rpc Do(M) returns (M); }\n"),
              HasSubstr("bank.proto:8:1: service 'SClient' and service 'S' would both make a C++ class SClient"));
}

TEST_F(plugin_refuses, a_service_that_is_named_as_a_namespace_that_its_code_needs) {
  EXPECT_THAT(error_of("message M {}\nservice std { option (grove.v1.actor) = {}; rpc Do(M) returns (M); }\n", ""),
              HasSubstr("bank.proto:5:1: service 'std' makes a C++ class std, but std is taken"));
}

TEST_F(plugin_refuses, two_methods_that_make_one_function) {
  EXPECT_THAT(error_of_service("rpc Add(M) returns (M);\nrpc tell_Add(M) returns (M);\n"),
              HasSubstr("bank.proto:7:1: method 'tell_Add' and method 'Add' (line 6) would both make a C++ function "
                        "tell_Add; rename one of them"));
  EXPECT_THAT(error_of_service("rpc new_(M) returns (M);\nrpc new(M) returns (M);\n"),
              HasSubstr("bank.proto:7:1: method 'new' and method 'new_' (line 6) would both make a C++ function new_"));
}

TEST_F(plugin_refuses, fields_that_share_a_json_name) {
  EXPECT_THAT(error_of_service("rpc Do(N) returns (M);\n",
                               "message N {\nint32 a = 1 [json_name = \"X\"];\nint32 b = 2 [json_name = \"X\"];\n}\n"),
              HasSubstr("bank.proto:10:1: field 'b' has the JSON name 'X' of field 'a' (line 9)"));
  EXPECT_THAT(error_of_service("rpc Do(N) returns (M);\n",
                               "message N {\nint32 a = 1 [json_name = \"b\"];\nint32 b = 2 [json_name = \"c\"];\n}\n"),
              HasSubstr("bank.proto:10:1: field 'b' is named as the JSON name of field 'a' (line 9)"));
}

TEST_F(plugin_refuses, names_that_protobufs_code_does_not_compile_with) {
  EXPECT_THAT(
      error_of("message M {}\nservice S { option (grove.v1.actor) = {}; rpc Do(M) returns (M); }\n", "bank.new.v1"),
      HasSubstr("bank.proto:2:1: C++ cannot have a namespace 'new'"));
  EXPECT_THAT(error_of_service("rpc Do(concept) returns (M);\n", "message concept {}\n"),
              HasSubstr("bank.proto:8:1: 'concept' is a keyword of C++20"));
  EXPECT_THAT(error_of_service("rpc Do(std) returns (M);\n", "message std {}\n"),
              HasSubstr("bank.proto:8:1: protobuf's code for a message 'std'"));
  EXPECT_THAT(error_of_service("rpc Do(N) returns (M);\n", "message N {\nbool requires = 1; }\n"),
              HasSubstr("bank.proto:9:1: 'requires' is a keyword of C++20"));
}

TEST_F(plugin_refuses, a_method_that_interleaves_and_may_change_the_state) {
  const auto error = [this](const std::string& options) {
    return error_of(
        "message M {}\nservice S { option (grove.v1.actor) = { state: \"bank.M\" };\nrpc Do(M) returns (M) { "
        "option (grove.v1.method) = { " +
        options + " }; }\n}\n");
  };
  EXPECT_THAT(error("interleave: true"), AllOf(HasSubstr("bank.proto:6:1: method 'Do' interleaves"),
                                               HasSubstr("{ interleave: true read_only: true }")));
  EXPECT_EQ(error("interleave: true read_only: true"), "");
}

TEST_F(plugin_refuses, options_that_say_nothing_that_can_be) {
  EXPECT_THAT(
      error_of("message M {}\nservice S { option (grove.v1.actor) = {name: \"a/b\"}; rpc Do(M) returns (M); }\n"),
      HasSubstr("bank.proto:5:1: service 'S': the name 'a/b' cannot stand in an address"));
  EXPECT_THAT(
      error_of("message M {}\nservice S { option (grove.v1.actor) = {state: \"M\"}; rpc Do(M) returns (M); }\n"),
      HasSubstr("there is no message 'M' for its state; write \"bank.M\""));
  EXPECT_THAT(error_of("message M {}\nservice S { option (grove.v1.actor) = {idle_timeout: \"9999999999d\"}; rpc Do(M) "
                       "returns (M); }\n"),
              HasSubstr("idle_timeout '9999999999d' must be a duration"));
  EXPECT_THAT(error_of("message M {}\nservice S { option (grove.v1.actor) = {}; }\n"), HasSubstr("'S' has no methods"));
  EXPECT_THAT(error_of_service("rpc Do(stream M) returns (M);\n"),
              HasSubstr("bank.proto:6:1: method 'Do': an actor's"));
}

TEST_F(plugin_refuses, all_that_is_wrong_at_once) {
  const std::string error =
      error_of_service("rpc Add(M) returns (M);\nrpc tell_Add(M) returns (M);\n", "message SClient {}\n");
  EXPECT_THAT(error, AllOf(HasSubstr("bank.proto:5:1:"), HasSubstr("\nbank.proto:7:1:")));
}

}  // namespace
}  // namespace grove::test
