// SPDX-License-Identifier: Apache-2.0
// What is read of each kind of field, and how it is printed again.
#include <gmock/gmock.h>
#include <google/protobuf/util/json_util.h>

#include <limits>

#include "json_trial.pb.h"
#include "json_trial2.pb.h"
#include "proto/json/mapping.h"

namespace grove {
namespace {

using ::testing::HasSubstr;
using trial::Kinds;

/// Without what has its default value, so that rows stay short.
[[nodiscard]] std::string printed_only(const google::protobuf::Message& message, const std::string& name) {
  std::string all;
  const status written = append_message_as_json(all, message);
  if (!written.ok()) return written.message();
  const auto begin = all.find("\"" + name + "\":");
  if (begin == std::string::npos) return "";
  // To the ',' or '}' that ends the member.
  int open = 0;
  bool in_text = false;
  for (std::size_t i = begin; i < all.size(); ++i) {
    const char c = all[i];
    if (in_text) {
      if (c == '\\') ++i;
      if (c == '"') in_text = false;
    } else if (c == '"') {
      in_text = true;
    } else if (c == '{' || c == '[') {
      ++open;
    } else if (c == '}' || c == ']') {
      if (open-- == 0) return all.substr(begin, i - begin);
    } else if (c == ',' && open == 0) {
      return all.substr(begin, i - begin);
    }
  }
  return all.substr(begin);
}

struct row {
  const char* label;
  const char* field;    ///< As it is printed,
  const char* given;    ///< a value that is read,
  const char* printed;  ///< and how it is printed; null: in the same way.
};

class json_round_trip : public ::testing::TestWithParam<row> {};

TEST_P(json_round_trip, gives_the_value_that_was_read) {
  const row& given = GetParam();
  Kinds message;
  const status read = message_from_json("{\"" + std::string{given.field} + "\":" + given.given + "}", 32, message);
  ASSERT_TRUE(read.ok()) << read.message();
  const std::string expected = given.printed != nullptr ? given.printed : given.given;
  EXPECT_EQ(printed_only(message, given.field),
            expected.empty() ? "" : "\"" + std::string{given.field} + "\":" + expected);
}

INSTANTIATE_TEST_SUITE_P(
    integers, json_round_trip,
    ::testing::Values(row{"plain", "small", "-12", nullptr}, row{"as_text", "small", "\"12\"", "12"},
                      row{"least", "small", "-2147483648", nullptr}, row{"most", "natural", "4294967295", nullptr},
                      row{"minus_zero", "natural", "-0", "0"}, row{"exponent", "small", "1e3", "1000"},
                      row{"capital_exponent", "small", "12E+2", "1200"}, row{"whole_with_a_point", "small", "5.0", "5"},
                      row{"whole_by_negative_exponent", "small", "1200e-2", "12"},
                      row{"text_with_exponent", "small", "\"1.5e1\"", "15"},
                      row{"zero_with_any_exponent", "small", "0e99999999999", "0"},
                      row{"beyond_a_double", "large", "9007199254740993", "\"9007199254740993\""},
                      row{"beyond_a_double_with_point", "large", "9007199254740993.0", "\"9007199254740993\""},
                      row{"beyond_a_double_with_exponent", "large", "9.007199254740993e15", "\"9007199254740993\""},
                      row{"least_of_64_bits", "large", "-9223372036854775808", "\"-9223372036854775808\""},
                      row{"most_of_64_bits", "largeNatural", "18446744073709551615", "\"18446744073709551615\""},
                      row{"most_with_exponent", "largeNatural", "\"1844674407370955161.5e1\"",
                          "\"18446744073709551615\""}),
    [](const auto& each) { return each.param.label; });

INSTANTIATE_TEST_SUITE_P(
    reals, json_round_trip,
    ::testing::Values(
        row{"plain", "fine", "1.5", nullptr}, row{"text", "fine", "\"1.5\"", "1.5"},
        row{"whole", "fine", "100000", nullptr}, row{"large", "fine", "1e+20", nullptr},
        row{"most", "fine", "1.7976931348623157e+308", nullptr},
        row{"seventeen_digits", "fine", "0.30000000000000004", nullptr}, row{"too_near_to_zero", "fine", "1e-400", "0"},
        row{"minus_zero", "fine", "-0.0", "-0"}, row{"nan", "fine", "\"NaN\"", nullptr},
        row{"infinity", "coarse", "\"Infinity\"", nullptr}, row{"minus_infinity", "fine", "\"-Infinity\"", nullptr},
        row{"float_digits", "coarse", "0.1", nullptr}, row{"float_nine_digits", "coarse", "16777217.5", "16777218"},
        row{"float_most", "coarse", "3.40282347e+38", nullptr}, row{"float_least", "coarse", "1e-50", "0"}),
    [](const auto& each) { return each.param.label; });

INSTANTIATE_TEST_SUITE_P(
    texts, json_round_trip,
    ::testing::Values(row{"truth", "truth", "true", nullptr}, row{"plain", "text", "\"hi\"", nullptr},
                      row{"escapes", "text", R"("\"\\\/\b\f\n\r\t\u0041")", R"("\"\\/\b\f\n\r\tA")"},
                      row{"two_units", "text", R"("\ud83d\ude00")", "\"\xf0\x9f\x98\x80\""},
                      row{"zero", "text", R"("a\u0000b")", nullptr},
                      row{"controls_of_terminals", "text", R"("\u001b\u009b\u202e")", nullptr},
                      row{"signs_of_html", "text", "\"<a&b>\"", nullptr}, row{"base64", "blob", "\"AP/+\"", nullptr},
                      row{"base64url", "blob", "\"AP_-\"", "\"AP/+\""}, row{"unpadded", "blob", "\"YQ\"", "\"YQ==\""},
                      row{"padded", "blob", "\"YWI=\"", nullptr}, row{"rest_of_bits", "blob", "\"-_\"", "\"+w==\""},
                      row{"name_in_the_proto", "other", "\"x\"", nullptr},
                      row{"enum_by_name", "colour", "\"COLOUR_BLUE\"", nullptr},
                      row{"enum_by_number", "colour", "-2", "\"COLOUR_BLUE\""},
                      row{"enum_by_text_of_number", "colour", "\"1\"", "\"COLOUR_RED\""},
                      row{"enum_unknown", "colour", "77", nullptr}, row{"present_zero", "maybe", "0", nullptr},
                      row{"null_is_absent", "maybe", "null", ""}),
    [](const auto& each) { return each.param.label; });

INSTANTIATE_TEST_SUITE_P(
    many, json_round_trip,
    ::testing::Values(row{"list", "numbers", R"(["1",2,3e0])", R"(["1","2","3"])"},
                      row{"empty_list", "numbers", "[]", nullptr}, row{"null_list", "numbers", "null", "[]"},
                      row{"enums", "colours", R"(["COLOUR_RED",5])", nullptr},
                      row{"map_in_order", "byText", R"({"b":1,"":2,"a":3})", R"({"":2,"a":3,"b":1})"},
                      row{"numbers_in_order", "byNumber", R"({"10":"x","-9":"y"})", R"({"-9":"y","10":"x"})"},
                      row{"null_map", "byText", "null", "{}"},
                      row{"nulls_of_value", "values", R"({"1":null,"2":[null]})", nullptr},
                      row{"boxes", "boxes", "[0,1]", nullptr}),
    [](const auto& each) { return each.param.label; });

INSTANTIATE_TEST_SUITE_P(oneofs, json_round_trip,
                         ::testing::Values(row{"default_is_printed", "count", "0", nullptr},
                                           row{"null_is_absent", "word", "null", ""},
                                           row{"null_value", "nothing", "null", nullptr},
                                           row{"value_of_null", "anything", "null", nullptr}),
                         [](const auto& each) { return each.param.label; });

INSTANTIATE_TEST_SUITE_P(
    well_known, json_round_trip,
    ::testing::Values(
        row{"any", "any", R"({"@type":"type.googleapis.com/google.protobuf.Duration","value":"1s"})", nullptr},
        row{"any_type_last", "any", R"({"value":"1s","@type":"x/google.protobuf.Duration"})",
            R"({"@type":"x/google.protobuf.Duration","value":"1s"})"},
        row{"any_in_any", "any",
            R"({"@type":"t/google.protobuf.Any","value":{"@type":"t/google.protobuf.Int64Value","value":"7"}})",
            nullptr},
        row{"any_of_null", "any", R"({"@type":"t/google.protobuf.Value","value":null})", nullptr},
        row{"any_empty", "any", "{}", nullptr},
        row{"any_of_empty", "any", R"({"@type":"t/google.protobuf.Empty"})", nullptr},
        row{"struct", "struct", R"({"b":[1,true,"x",null,{}],"a":{"c":[[]]}})",
            R"({"a":{"c":[[]]},"b":[1,true,"x",null,{}]})"},
        row{"value_number", "value", "-1.25", nullptr}, row{"value_text", "value", "\"x\"", nullptr},
        row{"value_null", "value", "null", nullptr}, row{"list_value", "valuesList", "[[],{},null]", nullptr},
        row{"value_list", "valueList", "[null,1]", nullptr}, row{"null_value", "nullValue", "null", nullptr},
        row{"mask", "mask", "\"fooBar.baz,qux\"", nullptr}, row{"mask_empty", "mask", "\"\"", nullptr},
        row{"mask_with_underscores", "mask", "\"foo_bar,a__b,c_1\"", "\"fooBar,a_B,c_1\""},
        row{"empty", "empty", "{}", nullptr}, row{"duration", "duration", "\"1.500s\"", nullptr},
        row{"duration_negative", "duration", "\"-0.5s\"", "\"-0.500s\""},
        row{"duration_nanos", "duration", "\"0.000000001s\"", nullptr},
        row{"duration_most", "duration", "\"315576000000s\"", nullptr},
        row{"time", "time", "\"2026-01-02T03:04:05Z\"", nullptr},
        row{"time_with_offset", "time", "\"2026-01-02T03:04:05.100-01:30\"", "\"2026-01-02T04:34:05.100Z\""},
        row{"time_first", "time", "\"0001-01-01T00:00:00Z\"", nullptr},
        row{"time_last", "time", "\"9999-12-31T23:59:59.999999999Z\"", nullptr},
        row{"time_before_1970", "time", "\"1969-12-31T23:59:59.000001Z\"", nullptr},
        row{"leap_day", "time", "\"2024-02-29T00:00:00Z\"", nullptr}),
    [](const auto& each) { return each.param.label; });

INSTANTIATE_TEST_SUITE_P(
    wrappers, json_round_trip,
    ::testing::Values(row{"large", "boxedLarge", "\"0\"", nullptr}, row{"large_number", "boxedLarge", "12", "\"12\""},
                      row{"truth", "boxedTruth", "false", nullptr}, row{"text", "boxedText", "\"\"", nullptr},
                      row{"blob", "boxedBlob", "\"YQ==\"", nullptr}, row{"fine", "boxedFine", "\"NaN\"", nullptr},
                      row{"natural", "boxedNatural", "1e2", "100"}, row{"null_is_absent", "boxedText", "null", ""}),
    [](const auto& each) { return each.param.label; });

TEST(json_mapping, takes_both_names_of_a_field) {
  Kinds message;
  ASSERT_TRUE(message_from_json(R"({"renamed_field":"a","large_natural":"2"})", 32, message).ok());
  EXPECT_EQ(message.renamed_field(), "a");
  EXPECT_EQ(message.large_natural(), 2U);
}

TEST(json_mapping, takes_a_well_known_message_as_the_whole) {
  google::protobuf::Value value;
  ASSERT_TRUE(message_from_json(" [1, {\"a\":null}] ", 32, value).ok());
  std::string text;
  ASSERT_TRUE(append_message_as_json(text, value).ok());
  EXPECT_EQ(text, R"([1,{"a":null}])");
}

/// Protobuf's own functions are right about all that is usual; only the order of their fields is another.
TEST(json_mapping, reads_and_prints_what_protobuf_does) {
  Kinds message;
  ASSERT_TRUE(message_from_json(
                  R"({"small":-1,"large":"5","coarse":0.1,"fine":1e100,"truth":true,"text":"x<\u2028","blob":"AA==",
                      "colour":"COLOUR_RED","numbers":[1,2],"list":[{"small":1},{}],"nested":{"text":"y"},
                      "byText":{"k":1},"byTruth":{"true":{}},"tree":{"maybe":0},
                      "any":{"@type":"type.googleapis.com/grove.trial.Kinds","small":3},
                      "struct":{"a":[1]},"mask":"aB","duration":"3s","time":"2026-01-02T03:04:05Z","boxedLarge":0})",
                  32, message)
                  .ok());
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  std::string theirs;
  ASSERT_TRUE(google::protobuf::util::MessageToJsonString(message, &theirs, options).ok());
  std::string ours;
  ASSERT_TRUE(append_message_as_json(ours, message).ok());
  Kinds from_theirs;
  ASSERT_TRUE(message_from_json(theirs, 32, from_theirs).ok());
  Kinds from_ours;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(ours, &from_ours).ok());
  std::string again;
  ASSERT_TRUE(append_message_as_json(again, from_theirs).ok());
  EXPECT_EQ(again, ours);
  again.clear();
  ASSERT_TRUE(append_message_as_json(again, from_ours).ok());
  EXPECT_EQ(again, ours);
}

TEST(json_mapping, reads_closed_enums_groups_and_required_fields) {
  trial2::Old message;
  EXPECT_TRUE(message_from_json(R"({"needed":1,"closed":"OPEN_NEVER","grouped":{"inside":"x"}})", 32, message).ok());
  std::string text;
  ASSERT_TRUE(append_message_as_json(text, message).ok());
  EXPECT_EQ(text, R"({"needed":1,"closed":"OPEN_NEVER","grouped":{"inside":"x"}})");
  trial2::Old wrong;
  EXPECT_THAT(message_from_json(R"({"needed":1,"closed":9})", 32, wrong).message(),
              HasSubstr("9 does not fit; it takes one of OPEN_NOT, OPEN_NEVER"));
  trial2::Old bare;
  EXPECT_THAT(message_from_json("{}", 32, bare).message(), HasSubstr("what is required is not there: needed"));
}

TEST(json_mapping, replaces_what_is_no_character) {
  std::string text;
  append_json_string(text, "a\xff\xed\xa0\x80z\xc3");
  EXPECT_EQ(text, "\"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\xef\xbf\xbd\"");
}

struct unsayable {
  const char* label;
  void (*make)(Kinds&);
  const char* complaint;
};

class json_unsayable : public ::testing::TestWithParam<unsayable> {};

TEST_P(json_unsayable, names_the_field_and_the_reason) {
  Kinds message;
  GetParam().make(*message.mutable_nested());
  std::string text;
  const status written = append_message_as_json(text, message);
  EXPECT_EQ(written.code(), status_code::invalid_argument);
  EXPECT_THAT(written.message(), HasSubstr(GetParam().complaint));
}

INSTANTIATE_TEST_SUITE_P(
    table, json_unsayable,
    ::testing::Values(
        unsayable{"year", [](Kinds& of) { of.mutable_time()->set_seconds(253'402'300'800); },
                  "field \"nested.time\": 253402300800 s and 0 ns are no time of the years 1 to 9999"},
        unsayable{"nanos", [](Kinds& of) { of.mutable_time()->set_nanos(-1); }, "field \"nested.time\""},
        unsayable{"signs",
                  [](Kinds& of) {
                    of.mutable_duration()->set_seconds(1);
                    of.mutable_duration()->set_nanos(-1);
                  },
                  "are no duration"},
        unsayable{"longest",
                  [](Kinds& of) { of.mutable_duration()->set_seconds(std::numeric_limits<std::int64_t>::min()); },
                  "are no duration"},
        unsayable{"value_nan",
                  [](Kinds& of) { of.mutable_value()->set_number_value(std::numeric_limits<double>::quiet_NaN()); },
                  "field \"nested.value\": a Value that is no finite number"},
        unsayable{"mask", [](Kinds& of) { of.mutable_mask()->add_paths("fooBar"); },
                  "field \"nested.mask\": the path \"fooBar\" of a FieldMask"},
        unsayable{"any_type", [](Kinds& of) { of.mutable_any()->set_type_url("type.googleapis.com/no.Such"); },
                  "field \"nested.any\": an Any of the type \"type.googleapis.com/no.Such\", which is not known"},
        unsayable{"any_bytes",
                  [](Kinds& of) {
                    of.mutable_any()->set_type_url("x/grove.trial.Kinds");
                    of.mutable_any()->set_value("\xff");
                  },
                  "an Any whose bytes are no grove.trial.Kinds"}),
    [](const auto& each) { return each.param.label; });

}  // namespace
}  // namespace grove
