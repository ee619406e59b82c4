// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <gtest/gtest.h>

#include <array>

#include "base/random.h"
#include "tests/support/seed.h"

namespace grove {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::string_view thirty_characters =
    "\u4e00\u4e01\u4e02\u4e03\u4e04\u4e05\u4e06\u4e07\u4e08\u4e09\u4e0a\u4e0b\u4e0c\u4e0d\u4e0e"
    "\u4e0f\u4e10\u4e11\u4e12\u4e13\u4e14\u4e15\u4e16\u4e17\u4e18\u4e19\u4e1a\u4e1b\u4e1c\u4e1d";

TEST(text, characters_of_one_to_four_bytes_are_utf8) {
  for (const auto good : {""sv, "a"sv, "\0"sv, "\x7f"sv, "\u0080"sv, "\u07ff"sv, "\u0800"sv, "\ud7ff"sv, "\ue000"sv,
                          "\uffff"sv, "\U00010000"sv, "\U0010ffff"sv, "a longer text, with \u00fc in it"sv}) {
    EXPECT_TRUE(is_utf8(good)) << good;
  }
  EXPECT_TRUE(is_utf8(thirty_characters));
}

TEST(text, anything_else_is_no_utf8) {
  for (const auto bad : {"\x80"sv, "\xbf"sv, "\xc0\x80"sv, "\xc1\xbf"sv, "\xe0\x9f\xbf"sv, "\xf0\x8f\xbf\xbf"sv,
                         "\xed\xa0\x80"sv, "\xed\xbf\xbf"sv, "\xf4\x90\x80\x80"sv, "\xf5\x80\x80\x80"sv, "\xff"sv,
                         "\xc3"sv, "\xe4\xb8"sv, "\xf0\x9f\x98"sv, "\xc3("sv, "12345678\xff"sv, "\xe4\xb8zz"sv}) {
    EXPECT_FALSE(is_utf8(bad)) << printable(bad);
  }
}

TEST(text, a_cut_is_at_a_border_of_characters) {
  for (std::size_t bytes = 0; bytes <= thirty_characters.size(); ++bytes) {
    EXPECT_EQ(cut_text(thirty_characters, bytes), thirty_characters.substr(0, bytes / 3 * 3));
  }
  EXPECT_EQ(cut_text("a\U0001f600b", 5), "a\U0001f600");
  EXPECT_EQ(cut_text("a\U0001f600b", 4), "a");
  EXPECT_EQ(cut_text("\u00fc", 1), "");
  EXPECT_EQ(cut_text("short", 100), "short");
}

TEST(text, a_cut_of_what_is_no_utf8_is_where_it_was_asked_for) {
  EXPECT_EQ(cut_text("\x80\x80\x80\x80\x80"sv, 4).size(), 4U);
  EXPECT_EQ(cut_text("\xff\xff\xff"sv, 1).size(), 1U);
  EXPECT_EQ(cut_text("\x80\x80\xe4\xb8\xad"sv, 4).size(), 2U);
}

TEST(text, bytes_of_no_character_are_replaced_in_a_utf8_text) {
  EXPECT_EQ(utf8_text("gr\u00fc\xdf"), "gr\u00fc\ufffd");
  EXPECT_EQ(utf8_text("\xe4\xb8"), "\ufffd\ufffd");
  EXPECT_EQ(utf8_text("line\nend\x1b"), "line\nend\x1b");
}

TEST(text, printable_characters_stay_as_they_are) {
  for (const auto same : {"", "grove.Counter/visits", "a b", "C:\\path", "\u00fc \u4e2d \U0001f600",
                          "\u0928\u094d\u200d", "\U0001f468\u200d\U0001f469", "\u05d0\u05d1"}) {
    EXPECT_EQ(printable(same), same);
  }
}

TEST(text, what_is_not_printable_is_escaped) {
  EXPECT_EQ(printable("a\nb\tc\rd"), "a\\nb\\tc\\rd");
  EXPECT_EQ(printable("\0\x1b[2J\x7f"sv), "\\x00\\x1b[2J\\x7f");
  EXPECT_EQ(printable("\u009b31m"), "\\u{009b}31m");
  EXPECT_EQ(printable("\u202etxt\u2066"), "\\u{202e}txt\\u{2066}");
  EXPECT_EQ(printable("\u2028\ufeff\U000e0041"), "\\u{2028}\\u{feff}\\u{0e0041}");
  EXPECT_EQ(printable("gr\xfc\xdf"), "gr\\xfc\\xdf");
  EXPECT_EQ(printable("\xe4\xb8"), "\\xe4\\xb8");
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");
}

TEST(text, a_long_printable_text_ends_in_dots) {
  EXPECT_EQ(printable("12345678", 8), "12345678");
  EXPECT_EQ(printable("123456789", 8), "12345...");
  EXPECT_EQ(printable(thirty_characters, 10), "\u4e00\u4e01...");
  EXPECT_EQ(printable("12\x1b\x1b", 8), "12...");
  EXPECT_EQ(printable("\x1b\x1b", 8), "\\x1b\\x1b");
}

TEST(text, what_is_written_into_a_buffer_ends_before_what_does_not_fit) {
  std::array<char, 8> into{};
  EXPECT_EQ(write_printable(thirty_characters, into.data(), into.size()), 6U);
  EXPECT_EQ(std::string_view(into.data(), 6), "\u4e00\u4e01");
  EXPECT_EQ(write_printable("12345\x1b", into.data(), into.size()), 5U);
  EXPECT_EQ(write_printable("1234\x1b", into.data(), into.size()), 8U);
  EXPECT_EQ(write_printable("", into.data(), into.size()), 0U);
}

TEST(text, whatever_the_bytes_what_is_made_of_them_is_utf8) {
  random_source random{test::seed()};
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes(random.next() % 24, '\0');
    // Mostly bytes that begin or go on with a character.
    for (char& byte : bytes)
      byte = static_cast<char>(random.next() % 4 == 0 ? random.next() : 0x80U | random.next());
    const std::string shown = printable(bytes);
    ASSERT_TRUE(is_utf8(shown)) << shown;
    ASSERT_EQ(printable(shown), shown);
    ASSERT_TRUE(is_utf8(utf8_text(bytes)));
    ASSERT_EQ(is_utf8(bytes), utf8_text(bytes) == bytes);
    const std::size_t most = 3 + random.next() % 40;
    ASSERT_LE(printable(bytes, most).size(), most);
    ASSERT_TRUE(is_utf8(cut_text(utf8_text(bytes), most)));
  }
}

}  // namespace
}  // namespace grove
