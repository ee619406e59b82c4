// SPDX-License-Identifier: Apache-2.0
#include "server/text_values.h"

#include <gtest/gtest.h>

namespace grove::server {
namespace {

using namespace std::chrono_literals;

TEST(text_values, durations_have_a_unit) {
  EXPECT_EQ(parse_duration("500ms"), 500ms);
  EXPECT_EQ(parse_duration("25s"), 25s);
  EXPECT_EQ(parse_duration("1m"), 60s);
  EXPECT_EQ(parse_duration("2h"), 7200s);
  EXPECT_EQ(parse_duration("0s"), 0s);
  for (const auto* wrong : {"", "25", "s", "-1s", "1.5s", "1 s", "1d", "s25", "99999999999999999999s", "999999999h"}) {
    EXPECT_FALSE(parse_duration(wrong)) << wrong;
  }
}

TEST(text_values, counts_may_have_a_binary_unit) {
  EXPECT_EQ(parse_count("0"), 0U);
  EXPECT_EQ(parse_count("128"), 128U);
  EXPECT_EQ(parse_count("64KiB"), 65536U);
  EXPECT_EQ(parse_count("1MiB"), 1048576U);
  EXPECT_EQ(parse_count("2GiB"), 2147483648U);
  for (const auto* wrong : {"", "x", "-1", "1kb", "1 MiB", "1.5", "18446744073709551615", "99999999999GiB"}) {
    EXPECT_FALSE(parse_count(wrong)) << wrong;
  }
}

TEST(text_values, durations_and_counts_are_written_as_they_are_read) {
  for (const auto value : {500ms, 1000ms, 25000ms, 60000ms, 90000ms, 7200000ms, 1500ms}) {
    EXPECT_EQ(parse_duration(duration_value(value)), value) << duration_value(value);
  }
  for (const std::uint64_t value : {0ULL, 1ULL, 1000ULL, 1024ULL, 65536ULL, 1048577ULL, 3ULL << 30U}) {
    EXPECT_EQ(parse_count(bytes_value(value)), value) << bytes_value(value);
  }
  EXPECT_EQ(bytes_value(16U << 20U), "16MiB");
  EXPECT_EQ(bytes_value(1000), "1000");
  EXPECT_EQ(duration_value(25s), "25s");
  EXPECT_EQ(duration_value(60s), "1m");
}

TEST(text_values, spoken_durations_choose_their_unit) {
  EXPECT_EQ(spoken_duration(3400us), "3 ms");
  EXPECT_EQ(spoken_duration(999600us), "1 s");
  EXPECT_EQ(spoken_duration(1540ms), "1.54 s");
  EXPECT_EQ(spoken_duration(12300ms), "12.3 s");
  EXPECT_EQ(spoken_duration(240s), "4 min");
  EXPECT_EQ(spoken_duration(2h), "2.0 h");
}

TEST(text_values, addresses_have_a_host_and_a_port) {
  EXPECT_EQ(parse_host_port("127.0.0.1:7400"), (host_port{"127.0.0.1", 7400}));
  EXPECT_EQ(parse_host_port("localhost:0"), (host_port{"localhost", 0}));
  EXPECT_EQ(parse_host_port("[::1]:65535"), (host_port{"::1", 65535}));
  for (const auto* wrong : {"", ":7400", "7400", "host", "host:", "host:x", "host:65536", "host:-1", "::1:7400", "[]:1",
                            "a b:1", "[::1]", "host:1 ", "http://host:1"}) {
    EXPECT_FALSE(parse_host_port(wrong)) << wrong;
  }
}

TEST(text_values, an_ipv6_address_is_written_in_brackets) {
  EXPECT_EQ((host_port{"::1", 7400}.to_string()), "[::1]:7400");
  EXPECT_EQ((host_port{"127.0.0.1", 7400}.to_string()), "127.0.0.1:7400");
}

TEST(text_values, nouns_follow_their_number) {
  EXPECT_EQ(counted(0, "worker"), "0 workers");
  EXPECT_EQ(counted(1, "worker"), "1 worker");
  EXPECT_EQ(counted(2, "worker"), "2 workers");
}

}  // namespace
}  // namespace grove::server
