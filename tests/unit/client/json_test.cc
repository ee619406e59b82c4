// SPDX-License-Identifier: Apache-2.0
#include "client/cli/json.h"

#include <gmock/gmock.h>

#include "grove/v1/system.pb.h"
#include "grove/v1/wire.pb.h"

namespace grove::cli {
namespace {

using ::testing::HasSubstr;

struct misfit {
  const char* name;
  const char* json;
  const char* complaint;
};

class json_misfit : public ::testing::TestWithParam<misfit> {};

TEST_P(json_misfit, names_the_field_and_what_would_be_right) {
  v1::SystemWorkersResponse message;
  const status read = read_json(GetParam().json, 32, message);
  EXPECT_EQ(read.code(), status_code::invalid_argument);
  EXPECT_THAT(read.message(), HasSubstr(GetParam().complaint));
}

INSTANTIATE_TEST_SUITE_P(
    table, json_misfit,
    ::testing::Values(
        misfit{"unknown_field", R"({"versio":"1"})",
               "no field \"versio\" in grove.v1.SystemWorkersResponse; did you mean \"version\"?"},
        misfit{"fields_listed", R"({"zzzzzz":"1"})",
               "in grove.v1.SystemWorkersResponse. Its fields: workers (list of grove.v1.Worker), answeredBy (uint32), "
               "version (string), uptimeMs (uint64)"},
        misfit{"nested_field", R"({"workers":[{},{"pidd":1}]})",
               "line 1, column 17, field \"workers[1]\": there is no field \"pidd\" in grove.v1.Worker; did you mean "
               "\"pid\"?"},
        misfit{"text_for_number", R"({"answeredBy":"x"})",
               "line 1, column 15, field \"answeredBy\": \"x\" is no number; it takes uint32"},
        misfit{"negative", R"({"answeredBy":-1})", "field \"answeredBy\": -1 is out of range; it takes uint32"},
        misfit{"too_large", R"({"workers":[{"pid":3000000000}]})", "field \"workers[0].pid\""},
        misfit{"enumeration", R"({"workers":[{"state":"UPP"}]})", "WORKER_STATE_UP, WORKER_STATE_DRAINING"},
        misfit{"list_for_one", R"({"version":["x"]})", "field \"version\": a list does not fit; it takes string"},
        misfit{"object_for_scalar", R"({"version":{}})", "field \"version\": an object does not fit; it takes string"},
        misfit{"no_object", "[1]", "must be an object"}, misfit{"nothing", "null", "must be an object"},
        misfit{"empty", "", "this is not JSON: it is empty"}, misfit{"cut_off", R"({"version":"x")", "not JSON"},
        misfit{"more", R"({} x)", "not JSON"}, misfit{"garbage", "\xff\xfe", "not JSON"}),
    [](const auto& each) { return each.param.name; });

TEST(json_syntax, says_where_it_went_wrong_and_what_was_expected) {
  v1::SystemWorkersResponse message;
  EXPECT_EQ(read_json(R"({"version":)", 32, message).message(),
            "this is not JSON: line 1, column 12: unexpected end of input; expected '[', '{', or a literal");
  EXPECT_EQ(read_json("zzz", 32, message).message(), "this is not JSON: line 1, column 1: invalid literal");
}

/// `levels` objects within the outermost.
[[nodiscard]] std::string nested(int levels) {
  std::string json;
  for (int i = 0; i < levels; ++i)
    json += "{\"nested\":";
  json += "{}";
  return json + std::string(static_cast<std::size_t>(levels), '}');
}

TEST(json_nesting, any_depth_is_refused_before_it_is_mapped) {
  v1::Envelope message;
  EXPECT_THAT(read_json(nested(1'000), 32, message).message(), HasSubstr("nesting allows 32 (limits.nesting-max)"));
  EXPECT_THAT(read_json(nested(1'000'000), 32, message).message(), HasSubstr("nesting allows 32 (limits.nesting-max)"));
}

TEST(json_string, escapes_what_json_must) {
  EXPECT_EQ(json_string("a\"b\\c\n\x01"), R"("a\"b\\c\n\u0001")");
}

}  // namespace
}  // namespace grove::cli
