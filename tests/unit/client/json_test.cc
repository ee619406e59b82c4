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
               "no field \"pidd\" in grove.v1.Worker; did you mean \"pid\"?"},
        misfit{"text_for_number", R"({"answeredBy":"x"})",
               "field \"answered_by\": \"x\" does not fit; it takes uint32"},
        misfit{"negative", R"({"answeredBy":-1})", "field \"answered_by\": -1 does not fit; it takes uint32"},
        misfit{"too_large", R"({"workers":[{"pid":3000000000}]})", "field \"workers[0].pid\""},
        misfit{"enumeration", R"({"workers":[{"state":"UPP"}]})", "WORKER_STATE_UP, WORKER_STATE_DRAINING"},
        misfit{"list_for_one", R"({"version":["x"]})", "field \"version\": a list does not fit; it takes string"},
        misfit{"object_for_scalar", R"({"version":{}})", "field \"version\": an object does not fit; it takes string"},
        misfit{"no_object", "[1]", "must be an object"}, misfit{"nothing", "null", "must be an object"},
        misfit{"cut_off", R"({"version":"x")", "not JSON"}, misfit{"more", R"({} x)", "not JSON"},
        misfit{"garbage", "\xff\xfe", "not JSON"}),
    [](const auto& each) { return each.param.name; });

TEST(json_syntax, shows_where_it_is_unless_that_is_the_end) {
  v1::SystemWorkersResponse message;
  EXPECT_EQ(read_json(R"({"version":)", 32, message).message(),
            "this is not JSON: Unexpected end of string. Expected a value.");
  EXPECT_EQ(read_json("zzz", 32, message).message(), "this is not JSON: Unexpected token.\nzzz\n^");
}

/// `levels` objects within the outermost.
[[nodiscard]] std::string nested(int levels) {
  std::string json;
  for (int i = 0; i < levels; ++i)
    json += "{\"nested\":";
  json += "{}";
  return json + std::string(static_cast<std::size_t>(levels), '}');
}

TEST(json_nesting, at_the_limit_is_read_and_one_past_it_is_refused_by_name) {
  v1::Envelope message;
  EXPECT_THAT(read_json(nested(32), 32, message).message(), Not(HasSubstr("nesting")));
  EXPECT_THAT(read_json(nested(33), 32, message).message(),
              HasSubstr("33 levels deep; the server's limit nesting is 32"));
}

TEST(json_nesting, any_depth_is_refused_before_it_is_parsed) {
  v1::Envelope message;
  EXPECT_THAT(read_json(nested(1'000), 32, message).message(), HasSubstr("1000 levels deep"));
  EXPECT_THAT(read_json(nested(1'000'000), 32, message).message(), HasSubstr("levels deep"));
  EXPECT_THAT(read_json(std::string(1'000'000, '['), 32, message).message(), HasSubstr("levels deep"));
}

TEST(json_nesting, brackets_in_strings_do_not_count) {
  const json_depth depth = depth_of(R"({"a":"{{{[[[\"{{{","b":[{"c":'}}{'}]})");
  EXPECT_EQ(depth.objects, 2U);
  EXPECT_EQ(depth.all, 3U);
}

TEST(json_string, escapes_what_json_must) {
  EXPECT_EQ(json_string("a\"b\\c\n\x01"), R"("a\"b\\c\u000a\u0001")");
}

}  // namespace
}  // namespace grove::cli
