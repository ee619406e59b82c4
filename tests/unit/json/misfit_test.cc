// SPDX-License-Identifier: Apache-2.0
// What does not fit a message: the place, the field and the reason.
#include <gmock/gmock.h>

#include "json_trial.pb.h"
#include "proto/json/mapping.h"

namespace grove {
namespace {

using ::testing::StartsWith;
using trial::Kinds;

struct misfit {
  const char* label;
  const char* json;
  const char* complaint;
};

class json_misfit : public ::testing::TestWithParam<misfit> {};

TEST_P(json_misfit, is_refused_with_place_field_and_reason) {
  Kinds message;
  const status read = message_from_json(GetParam().json, 32, message);
  EXPECT_EQ(read.code(), status_code::invalid_argument);
  EXPECT_THAT(read.message(), StartsWith(GetParam().complaint));
}

constexpr auto label_of = [](const auto& each) { return each.param.label; };

INSTANTIATE_TEST_SUITE_P(
    shapes, json_misfit,
    ::testing::Values(
        misfit{"no_object", "[1]", "line 1, column 1: the JSON must be an object, {...}, of grove.trial.Kinds"},
        misfit{"null", "null", "line 1, column 1: the JSON must be an object"},
        misfit{"unknown", "{\n \"smal\":1}",
               "line 2, column 2: there is no field \"smal\" in grove.trial.Kinds; did you mean \"small\"?"},
        misfit{"unknown_nested", R"({"list":[{},{"tex":1}]})",
               "line 1, column 14, field \"list[1]\": there is no field \"tex\" in grove.trial.Kinds; did you mean "
               "\"text\"?"},
        misfit{"list_for_one", R"({"text":["x"]})",
               "line 1, column 9, field \"text\": a list does not fit; it takes string"},
        misfit{"object_for_one", R"({"small":{}})",
               "line 1, column 10, field \"small\": an object does not fit; it takes int32"},
        misfit{"one_for_list", R"({"numbers":1})",
               "line 1, column 12, field \"numbers\": 1 does not fit; it takes list of int64"},
        misfit{"list_in_list", R"({"numbers":[[1]]})",
               "line 1, column 13, field \"numbers[0]\": a list does not fit; it takes int64"},
        misfit{"list_for_map", R"({"byText":[]})",
               "line 1, column 11, field \"byText\": a list does not fit; it takes map"},
        misfit{"text_for_message", R"({"nested":"x"})", "line 1, column 11, field \"nested\": \"x\" does not fit"},
        misfit{"null_in_list", R"({"numbers":[null]})",
               "line 1, column 13, field \"numbers[0]\": null does not fit; it takes int64"},
        misfit{"null_in_map", R"({"byText":{"a":null}})",
               "line 1, column 16, field \"byText[\"a\"]\": null does not fit; it takes int32"},
        misfit{"null_box", R"({"boxes":[null]})", "line 1, column 11, field \"boxes[0]\": null does not fit"}),
    label_of);

INSTANTIATE_TEST_SUITE_P(
    twice, json_misfit,
    ::testing::Values(
        misfit{"field", R"({"small":1,"small":2})", "line 1, column 12, field \"small\": it is there twice"},
        misfit{"both_names", R"({"other":"a","renamed_field":"b"})",
               "line 1, column 14, field \"renamed_field\": it is there twice"},
        misfit{"absent_twice", R"({"small":null,"small":2})", "line 1, column 15, field \"small\": it is there twice"},
        misfit{"oneof", R"({"word":"x","count":1})",
               "line 1, column 13, field \"count\": it excludes \"word\", which is set as well"},
        misfit{"map_key", R"({"byText":{"a":1,"\u0061":2}})",
               "line 1, column 18, field \"byText[\"a\"]\": the map has this key twice"},
        misfit{"map_number", R"({"byNumber":{"1":"a","1e0":"b"}})",
               "line 1, column 22, field \"byNumber[\"1e0\"]\": the map has this key twice"},
        misfit{"struct_key", R"({"struct":{"a":1,"a":1}})",
               "line 1, column 18, field \"struct[\"a\"]\": the map has this key twice"},
        misfit{"any_type", R"({"any":{"@type":"x/grove.trial.Kinds","@type":"x/grove.trial.Kinds"}})",
               "line 1, column 39, field \"any\": \"@type\" is there twice"}),
    label_of);

INSTANTIATE_TEST_SUITE_P(
    scalars, json_misfit,
    ::testing::Values(
        misfit{"text_for_number", R"({"small":"x"})",
               "line 1, column 10, field \"small\": \"x\" is no number; it takes int32"},
        misfit{"fraction", R"({"small":1.5})",
               "line 1, column 10, field \"small\": 1.5 is no whole number; it takes int32"},
        misfit{"negative", R"({"natural":-1})",
               "line 1, column 12, field \"natural\": -1 is out of range; it takes fixed32"},
        misfit{"one_too_many", R"({"small":2147483648})",
               "line 1, column 10, field \"small\": 2147483648 is out of range; it takes int32"},
        misfit{"too_large", R"({"largeNatural":18446744073709551616})",
               "line 1, column 17, field \"largeNatural\": 18446744073709551616 is out of range"},
        misfit{"enormous", R"({"large":"1e99999999999999999999"})", "line 1, column 10, field \"large\": "},
        misfit{"beyond_doubles", R"({"large":1e400})",
               "line 1, column 10, field \"large\": 1e400 is out of range; it takes sint64"},
        misfit{"beyond_doubles_negative", R"({"natural":-1e400})",
               "line 1, column 12, field \"natural\": -1e400 is out of range; it takes fixed32"},
        misfit{"beyond_doubles_of_a_double", R"({"fine":1e400})",
               "line 1, column 9, field \"fine\": 1e400 is out of range; it takes double"},
        misfit{"beyond_doubles_of_a_float", R"({"coarse":-1e400})",
               "line 1, column 11, field \"coarse\": -1e400 is out of range; it takes float"},
        misfit{"beyond_doubles_of_a_value", R"({"value":[0,1e400]})",
               "line 1, column 13, field \"value[1]\": 1e400 is out of range; it takes double"},
        misfit{"near_to_zero_and_not_whole", R"({"large":1e-400})",
               "line 1, column 10, field \"large\": 1e-400 is no whole number; it takes sint64"},
        misfit{"many_digits", R"({"large":123456789012345678901234567890})",
               "line 1, column 10, field \"large\": 123456789012345678901234567890 is out of range; it takes sint64"},
        misfit{"spaces", R"({"small":" 1"})", "line 1, column 10, field \"small\": \" 1\" is no number"},
        misfit{"no_text", R"({"small":""})", "line 1, column 10, field \"small\": \"\" is no number"},
        misfit{"truth_for_number", R"({"small":true})", "line 1, column 10, field \"small\": true does not fit"},
        misfit{"float_too_large", R"({"coarse":1e39})", "line 1, column 11, field \"coarse\": 1e39 is out of range"},
        misfit{"nan_in_other_letters", R"({"fine":"nan"})", "line 1, column 9, field \"fine\": \"nan\" is no number"},
        misfit{"text_for_truth", R"({"truth":"maybe"})", "line 1, column 10, field \"truth\": \"maybe\" does not fit"},
        misfit{"number_for_text", R"({"text":1})", "line 1, column 9, field \"text\": 1 does not fit; it takes string"},
        misfit{"no_base64", R"({"blob":"a b="})",
               "line 1, column 9, field \"blob\": \"a b=\" is no base64; it takes bytes"},
        misfit{"wrong_padding", R"({"blob":"YQ="})", "line 1, column 9, field \"blob\": \"YQ=\" is no base64"},
        misfit{"enum_name", R"({"colour":"GREEN"})",
               "line 1, column 11, field \"colour\": \"GREEN\" does not fit; it takes one of COLOUR_NONE, COLOUR_RED, "
               "COLOUR_BLUE"},
        misfit{"enum_fraction", R"({"colours":[1.5]})", "line 1, column 13, field \"colours[0]\": 1.5 does not fit"},
        misfit{"truth_key", R"({"byTruth":{"yes":{}}})",
               "line 1, column 13, field \"byTruth[\"yes\"]\": \"yes\" does not fit; it takes bool"},
        misfit{"number_key", R"({"byNumber":{"x":"a"}})",
               "line 1, column 14, field \"byNumber[\"x\"]\": \"x\" is no number; it takes int64"}),
    label_of);

INSTANTIATE_TEST_SUITE_P(
    well_known, json_misfit,
    ::testing::Values(
        misfit{"any_without_type", R"({"any":{"a":1}})", "line 1, column 8, field \"any\": an Any needs \"@type\""},
        misfit{"any_unknown_type", R"({"any":{"@type":"x/no.Such"}})",
               "line 1, column 17, field \"any\": \"x/no.Such\" names a type that the server has not described"},
        misfit{"any_without_slash", R"({"any":{"@type":"grove.trial.Kinds"}})",
               "line 1, column 17, field \"any\": \"grove.trial.Kinds\" has no '/'"},
        misfit{"any_misfit", R"({"any":{"@type":"x/grove.trial.Kinds","small":"x"}})",
               "line 1, column 47, field \"any.small\": \"x\" is no number; it takes int32"},
        misfit{"any_without_value", R"({"any":{"@type":"x/google.protobuf.Duration"}})",
               "line 1, column 8, field \"any\": an Any of google.protobuf.Duration needs \"value\""},
        misfit{"any_beside_value", R"({"any":{"@type":"x/google.protobuf.Duration","value":"1s","x":1}})",
               "line 1, column 59, field \"any\": \"x\" does not fit; beside \"@type\" it takes \"value\""},
        misfit{"duration_unit", R"({"duration":"1m"})", "line 1, column 13, field \"duration\": \"1m\" is no duration"},
        misfit{"duration_digits", R"({"duration":"0.1234567890s"})", "line 1, column 13, field \"duration\""},
        misfit{"duration_longest", R"({"duration":"315576000000.1s"})", "line 1, column 13, field \"duration\""},
        misfit{"duration_number", R"({"duration":1})", "line 1, column 13, field \"duration\": 1 is no duration"},
        misfit{"time_date", R"({"time":"2026-02-29T00:00:00Z"})",
               "line 1, column 9, field \"time\": \"2026-02-29T00:00:00Z\" is no time of the years 1 to 9999"},
        misfit{"time_small_letters", R"({"time":"2026-01-02t03:04:05z"})", "line 1, column 9, field \"time\""},
        misfit{"time_no_zone", R"({"time":"2026-01-02T03:04:05"})", "line 1, column 9, field \"time\""},
        misfit{"time_before_year_one", R"({"time":"0001-01-01T00:00:00+01:00"})", "line 1, column 9, field \"time\""},
        misfit{"times", R"({"times":["x"]})", "line 1, column 11, field \"times[0]\": \"x\" is no time"},
        misfit{"mask_empty_path", R"({"mask":"a,,b"})", "line 1, column 9, field \"mask\": \"a,,b\" has an empty path"},
        misfit{"mask_last_comma", R"({"mask":"a,"})", "line 1, column 9, field \"mask\": \"a,\" has an empty path"},
        misfit{"struct_list", R"({"struct":[]})", "line 1, column 11, field \"struct\": a list does not fit"},
        misfit{"list_value_object", R"({"valuesList":{}})",
               "line 1, column 15, field \"valuesList\": an object does not fit"},
        misfit{"box", R"({"boxedNatural":-1})",
               "line 1, column 17, field \"boxedNatural\": -1 is out of range; it takes uint32"}),
    label_of);

TEST(json_misfit_text, is_cut_between_characters) {
  Kinds message;
  std::string json = R"({"small":")";
  for (int i = 0; i < 1'000; ++i)
    json += "\xe5\xad\x97";
  const status read = message_from_json(json + "\"}", 32, message);
  std::string shown;
  for (int i = 0; i < 21; ++i)
    shown += "\xe5\xad\x97";
  EXPECT_EQ(read.message(), "line 1, column 10, field \"small\": \"" + shown + "...\" is no number; it takes int32");
}

}  // namespace
}  // namespace grove
