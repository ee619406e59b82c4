// SPDX-License-Identifier: Apache-2.0
// What is JSON and what is not, and where a text goes wrong.
#include "proto/json/document.h"

#include <gmock/gmock.h>

namespace grove {
namespace {

using ::testing::HasSubstr;

struct text_row {
  const char* label;
  std::string text;
  const char* complaint;
};

class json_text : public ::testing::TestWithParam<text_row> {};

TEST_P(json_text, is_refused_with_its_place_and_reason) {
  json_document document;
  const status read = document.parse(GetParam().text, 8);
  EXPECT_EQ(read.code(), status_code::invalid_argument);
  EXPECT_EQ(read.message(), GetParam().complaint);
}

INSTANTIATE_TEST_SUITE_P(
    table, json_text,
    ::testing::Values(
        text_row{"empty", "", "this is not JSON: it is empty"},
        text_row{"blank", " \n\t", "this is not JSON: it is empty"},
        text_row{"last_comma", R"({"by":2,})",
                 "this is not JSON: line 1, column 9: unexpected '}'; expected string literal"},
        text_row{"last_comma_of_list", "[1,]",
                 "this is not JSON: line 1, column 4: unexpected ']'; expected '[', '{', or a literal"},
        text_row{"single_quotes", "{'by':2}",
                 "this is not JSON: line 1, column 2: invalid literal; expected string literal"},
        text_row{"no_quotes", "{by:2}", "this is not JSON: line 1, column 2: invalid literal; expected string literal"},
        text_row{"raw_newline", "{\"a\":\"x\ny\"}",
                 "this is not JSON: line 1, column 8: invalid string: control character U+000A (LF) must be escaped to "
                 "\\u000A or \\n"},
        text_row{"raw_tab", "\"\t\"",
                 "this is not JSON: line 1, column 2: invalid string: control character U+0009 (HT) must be escaped to "
                 "\\u0009 or \\t"},
        text_row{"hex_escape", R"("\x41")",
                 "this is not JSON: line 1, column 3: invalid string: forbidden character after backslash"},
        text_row{"half_a_character", R"("\ud800")",
                 "this is not JSON: line 1, column 8: invalid string: surrogate U+D800..U+DBFF must be followed by "
                 "U+DC00..U+DFFF"},
        text_row{"other_half", R"("\udc00")",
                 "this is not JSON: line 1, column 7: invalid string: surrogate U+DC00..U+DFFF must follow "
                 "U+D800..U+DBFF"},
        text_row{"no_utf8", "\"\xff\"", "this is not JSON: line 1, column 2: invalid string: ill-formed UTF-8 byte"},
        text_row{"garbage", "\xff\xfe", "this is not JSON: line 1, column 1: invalid literal"},
        text_row{"cut_off", R"({"a":)",
                 "this is not JSON: line 1, column 6: unexpected end of input; expected '[', '{', or a literal"},
        text_row{"two_values", "{} {}", "this is not JSON: line 1, column 4: unexpected '{'; expected end of input"},
        text_row{"leading_zero", "01",
                 "this is not JSON: line 1, column 2: unexpected number literal; expected end of input"},
        text_row{"plus", "+1", "this is not JSON: line 1, column 1: invalid literal"},
        text_row{"no_digit_before_the_point", ".5", "this is not JSON: line 1, column 1: invalid literal"},
        text_row{"no_digit_after_the_point", "[1.]",
                 "this is not JSON: line 1, column 4: invalid number; expected digit after '.'"},
        text_row{"hex", "0x10", "this is not JSON: line 1, column 2: invalid literal; expected end of input"},
        text_row{"nan", "NaN", "this is not JSON: line 1, column 1: invalid literal"},
        text_row{"behind_a_number_beyond_all_doubles", "[\n 1e400}",
                 "this is not JSON: line 2, column 7: unexpected '}'; expected ']'"},
        text_row{"in_a_number_beyond_all_doubles", "[1e400-5]", "this is not JSON: line 1, column 6: invalid number"},
        text_row{"comment", "{} // c", "this is not JSON: line 1, column 4: invalid literal; expected end of input"},
        text_row{"second_line", "{\n  \"\xc3\xa4\": x}", "this is not JSON: line 2, column 8: invalid literal"},
        text_row{"zero_byte", std::string("{}\0{}", 5), "this is not JSON: line 1, column 3: a byte of value 0"},
        text_row{"too_deep", "[[[[[[[[[", "line 1, column 9: objects and lists nested deeper than 8 levels"}),
    [](const auto& each) { return each.param.label; });

TEST(json_document, keeps_the_text_of_numbers_and_the_place_of_everything) {
  json_document document;
  ASSERT_TRUE(document.parse("\xef\xbb\xbf{ \"a\\n\" : [ -0, 1.50E+2 , true ],\n\"b\":null}", 8).ok());
  using kind = json_document::kind;
  EXPECT_EQ(document[0].what, kind::object);
  EXPECT_EQ(document[0].end, 8U);
  EXPECT_EQ(document.text(1), "a\n");
  EXPECT_EQ(document[2].what, kind::array);
  EXPECT_EQ(document[2].end, 6U);
  EXPECT_EQ(document.text(3), "-0");
  EXPECT_EQ(document.text(4), "1.50E+2");
  EXPECT_TRUE(document[5].is_true);
  EXPECT_EQ(document.text(6), "b");
  EXPECT_EQ(document[7].what, kind::null);
  EXPECT_EQ(to_string(place_in(document.source(), document[7].offset)), "line 2, column 5");
}

TEST(json_document, keeps_numbers_that_are_beyond_all_doubles) {
  const std::string large = "-" + std::string(400, '9') + ".5";
  const std::string text = "[1e400,\"1e400 \\\" 1e400\",-2.5E+0400," + large + ",{\"1e400\":1e309}]";
  json_document document;
  ASSERT_TRUE(document.parse(text, 8).ok());
  EXPECT_EQ(document.text(1), "1e400");
  EXPECT_EQ(document.text(2), "1e400 \" 1e400");
  EXPECT_EQ(document.text(3), "-2.5E+0400");
  EXPECT_EQ(document.text(4), large);
  EXPECT_EQ(document.text(6), "1e400");
  EXPECT_EQ(document.text(7), "1e309");
  EXPECT_EQ(to_string(place_in(document.source(), document[7].offset)), "line 1, column 449");
}

TEST(json_document, reads_many_levels_and_members_without_recursion) {
  std::string deep(1'000'000, '[');
  deep.append(1'000'000, ']');
  json_document document;
  EXPECT_TRUE(document.parse(deep, 1'000'000).ok());
  EXPECT_THAT(document.parse(deep, 999'999).message(), HasSubstr("deeper than 999999 levels"));
}

}  // namespace
}  // namespace grove
