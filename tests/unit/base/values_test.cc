// SPDX-License-Identifier: Apache-2.0
#include "base/values.h"

#include <gtest/gtest.h>

namespace grove {
namespace {

using namespace std::chrono_literals;

TEST(values, a_duration_is_a_number_and_its_unit) {
  EXPECT_EQ(parse_duration("250us"), 250us);
  EXPECT_EQ(parse_duration("500ms"), 500ms);
  EXPECT_EQ(parse_duration("25s"), 25s);
  EXPECT_EQ(parse_duration("1m"), 60s);
  EXPECT_EQ(parse_duration("2h"), 7200s);
  EXPECT_EQ(parse_duration("0s"), 0s);
  EXPECT_EQ(parse_duration("24000h"), 24000h);
}

TEST(values, a_duration_without_a_unit_is_seconds) {
  EXPECT_EQ(parse_duration("5"), 5s);
  EXPECT_EQ(parse_duration("0.25"), 250ms);
  EXPECT_EQ(parse_duration("0"), 0s);
}

TEST(values, a_duration_may_have_a_fraction_and_is_rounded_to_microseconds) {
  EXPECT_EQ(parse_duration("1.5s"), 1500ms);
  EXPECT_EQ(parse_duration("0.1s"), 100ms);
  EXPECT_EQ(parse_duration("4.35ms"), 4350us);
  EXPECT_EQ(parse_duration("0.29h"), 1044s);
  EXPECT_EQ(parse_duration("1e-3s"), 1ms);
  EXPECT_EQ(parse_duration("0.3333333s"), 333333us);
}

TEST(values, a_duration_that_is_too_long_is_the_longest) {
  for (const auto* text : {"277777h", "277778h", "1000000h", "2628000h", "9223372036s", "99999999999999999999s",
                           "999999999h", "1e300h", "1e308h", "1e400", "1e15us"}) {
    EXPECT_EQ(parse_duration(text), longest_duration) << text;
  }
  EXPECT_EQ(parse_duration("277776h"), 277776h);
  EXPECT_EQ(parse_duration("1e-400h"), 0s);
  EXPECT_GT(std::chrono::nanoseconds::max() - longest_duration, longest_duration);
  EXPECT_EQ(duration_value(longest_duration), "277777h");
}

TEST(values, anything_else_is_no_duration) {
  for (const auto* wrong : {"",      "s",   "-1s", "1 s",  " 1s",  "1s ", "1d",    "1S",      "s25",    "1m30s",
                            "0x10s", "nan", "inf", "infs", "1,5s", "+5s", "5us\n", "-1e400s", "1e400d", "-infh"}) {
    EXPECT_FALSE(parse_duration(wrong)) << wrong;
  }
}

TEST(values, a_size_may_have_a_binary_unit_and_a_fraction) {
  EXPECT_EQ(parse_size("0"), 0U);
  EXPECT_EQ(parse_size("128"), 128U);
  EXPECT_EQ(parse_size("64KiB"), 65536U);
  EXPECT_EQ(parse_size("1MiB"), 1048576U);
  EXPECT_EQ(parse_size("1.5MiB"), 1572864U);
  EXPECT_EQ(parse_size("2GiB"), 2147483648U);
  EXPECT_EQ(parse_size("9223372036854775807"), 9223372036854775807U);
}

TEST(values, a_whole_number_may_have_any_base_of_toml) {
  EXPECT_EQ(parse_size("0x100000"), 1048576U);
  EXPECT_EQ(parse_size("0xFf"), 255U);
  EXPECT_EQ(parse_size("0o17"), 15U);
  EXPECT_EQ(parse_size("0b101"), 5U);
  EXPECT_EQ(parse_size("0x0"), 0U);
  EXPECT_EQ(parse_size("0x7fffffffffffffff"), 9223372036854775807U);
}

TEST(values, anything_else_is_no_size) {
  for (const auto* wrong : {"",
                            "x",
                            "-1",
                            "-1KiB",
                            "1kb",
                            "1MB",
                            "1K",
                            "1 MiB",
                            "1.5",
                            "0.1KiB",
                            "nan",
                            "0x",
                            "0xg",
                            "0x-1",
                            "-0x10",
                            "0X10",
                            "0x10KiB",
                            "0o8",
                            "0b2",
                            "0x8000000000000000",
                            "18446744073709551615",
                            "99999999999GiB",
                            "1e300"}) {
    EXPECT_FALSE(parse_size(wrong)) << wrong;
  }
}

TEST(values, are_written_as_they_are_read) {
  for (const std::chrono::microseconds value : {0us, 1us, 1500us, 500000us, 25000000us, 60000000us, 90000000us}) {
    EXPECT_EQ(parse_duration(duration_value(value)), value) << duration_value(value);
  }
  for (const std::uint64_t value : {0ULL, 1ULL, 1000ULL, 1024ULL, 65536ULL, 1048577ULL, 3ULL << 30U}) {
    EXPECT_EQ(parse_size(size_value(value)), value) << size_value(value);
  }
  EXPECT_EQ(size_value(16U << 20U), "16MiB");
  EXPECT_EQ(size_value(1000), "1000");
  EXPECT_EQ(size_value(0), "0");
  EXPECT_EQ(duration_value(25s), "25s");
  EXPECT_EQ(duration_value(60s), "1m");
  EXPECT_EQ(duration_value(0s), "0s");
  EXPECT_EQ(duration_value(1500us), "1500us");
}

TEST(values, spoken_durations_choose_their_unit) {
  EXPECT_EQ(spoken_duration(3400us), "3 ms");
  EXPECT_EQ(spoken_duration(999600us), "1 s");
  EXPECT_EQ(spoken_duration(1540ms), "1.54 s");
  EXPECT_EQ(spoken_duration(12300ms), "12.3 s");
  EXPECT_EQ(spoken_duration(240s), "4 min");
  EXPECT_EQ(spoken_duration(2h), "2.0 h");
}

TEST(values, nouns_follow_their_number) {
  EXPECT_EQ(counted(0, "worker"), "0 workers");
  EXPECT_EQ(counted(1, "worker"), "1 worker");
  EXPECT_EQ(counted(2, "worker"), "2 workers");
}

}  // namespace
}  // namespace grove
