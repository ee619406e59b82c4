// SPDX-License-Identifier: Apache-2.0
// How deep messages may be nested, which is the same for reading, printing and protobuf's own decoder.
#include <gmock/gmock.h>

#include "json_trial.pb.h"
#include "proto/json/mapping.h"

namespace grove {
namespace {

using ::testing::HasSubstr;
using trial::Kinds;

[[nodiscard]] std::string repeated(int times, const std::string& text) {
  std::string all;
  for (int i = 0; i < times; ++i)
    all += text;
  return all;
}

/// JSON of `levels` messages within messages.
struct shape {
  const char* label;
  std::string (*json)(int levels);
};

const shape shapes[] = {
    {"messages", [](int levels) { return repeated(levels, "{\"nested\":") + "{}" + repeated(levels, "}"); }},
    {"lists", [](int levels) { return repeated(levels, "{\"list\":[") + "{}" + repeated(levels, "]}"); }},
    // The Value itself, then two a list: the ListValue and the Value in it.
    {"lists_of_values",
     [](int levels) {
       const int lists = levels / 2;
       return "{\"value\":" + repeated(lists, "[") + (levels % 2 == 0 ? "" : "0") + repeated(lists, "]") + "}";
     }},
};

class json_nesting : public ::testing::TestWithParam<shape> {};

TEST_P(json_nesting, is_read_at_the_limit_and_refused_by_name_beyond) {
  for (const int limit : {2, 31, 32, 100}) {
    Kinds message;
    const status read = message_from_json(GetParam().json(limit), static_cast<std::uint32_t>(limit), message);
    EXPECT_TRUE(read.ok()) << limit << ": " << read.message();
    Kinds other;
    EXPECT_THAT(
        message_from_json(GetParam().json(limit + 1), static_cast<std::uint32_t>(limit), other).message(),
        HasSubstr("messages nested too deep; nesting allows " + std::to_string(limit) + " (limits.nesting-max)"));
  }
}

TEST_P(json_nesting, of_what_can_be_read_is_encoded_decoded_and_printed) {
  Kinds message;
  ASSERT_TRUE(message_from_json(GetParam().json(100), 100, message).ok());
  Kinds again;
  ASSERT_TRUE(again.ParseFromString(message.SerializeAsString()));
  std::string text;
  const status written = append_message_as_json(text, again);
  ASSERT_TRUE(written.ok()) << written.message();
  Kinds back;
  EXPECT_TRUE(message_from_json(text, 100, back).ok());
  EXPECT_EQ(back.SerializeAsString(), message.SerializeAsString());
}

INSTANTIATE_TEST_SUITE_P(shapes, json_nesting, ::testing::ValuesIn(shapes),
                         [](const auto& each) { return each.param.label; });

TEST(json_nesting_bound, holds_for_any_limit_and_any_text) {
  Kinds message;
  EXPECT_THAT(message_from_json(shapes[0].json(101), 1'000'000, message).message(), HasSubstr("nesting allows 100 "));
  EXPECT_THAT(message_from_json(std::string(1'000'000, '['), 32, message).message(),
              HasSubstr("objects and lists nested deeper than 68 levels, which no message has; nesting allows 32 "
                        "(limits.nesting-max)"));
}

TEST(json_nesting_bound, counts_what_lies_in_an_any) {
  const std::string open = R"({"@type":"x/google.protobuf.Any","value":)";
  google::protobuf::Any any;
  const std::string fits = repeated(32, open) + "{}" + repeated(32, "}");
  ASSERT_TRUE(message_from_json(fits, 32, any).ok());
  std::string text;
  EXPECT_TRUE(append_message_as_json(text, any).ok());
  EXPECT_EQ(text, fits);
  google::protobuf::Any deeper;
  EXPECT_FALSE(message_from_json(open + fits + "}", 32, deeper).ok());

  // An Any's bytes are no nesting to a decoder: printing has to count.
  google::protobuf::Any packed;
  for (int i = 0; i < 101; ++i) {
    google::protobuf::Any outer;
    outer.set_type_url("x/google.protobuf.Any");
    outer.set_value(packed.SerializeAsString());
    packed = outer;
  }
  EXPECT_THAT(append_message_as_json(text, packed).message(),
              HasSubstr("messages nested deeper than 100 levels, the most that limits.nesting-max can be"));
}

TEST(json_nesting_bound, shortens_the_path_of_what_is_deep) {
  Kinds message;
  const std::string json = repeated(50, "{\"nested\":") + "{\"small\":\"x\"}" + repeated(50, "}");
  EXPECT_THAT(message_from_json(json, 100, message).message(),
              HasSubstr("field \"" + repeated(7, "nested.") + "nested...." + repeated(7, "nested.") + "small\""));
}

}  // namespace
}  // namespace grove
