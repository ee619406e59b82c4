// SPDX-License-Identifier: Apache-2.0
#include "proto/wire/frame.h"

#include <gtest/gtest.h>

#include <string>

namespace grove::wire {
namespace {

std::string frame_of_length(std::size_t length, std::size_t present) {
  std::string bytes(frame_header_bytes, '\0');
  write_frame_header(bytes.data(), length);
  return bytes + std::string(present, 'x');
}

TEST(frame, header_is_four_bytes_big_endian) {
  EXPECT_EQ(frame_of_length(0x01020304, 0), std::string("\x01\x02\x03\x04", 4));
}

TEST(frame, is_incomplete_at_every_prefix_and_complete_at_its_last_byte) {
  const std::string whole = frame_of_length(5, 5);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(first_frame(std::string_view{whole}.substr(0, size), 100).state, frame_state::incomplete) << size;
  }
  const frame_view found = first_frame(whole, 100);
  EXPECT_EQ(found.state, frame_state::complete);
  EXPECT_EQ(found.envelope, "xxxxx");
  EXPECT_EQ(found.consumed, 9U);
}

TEST(frame, takes_only_the_first_of_two) {
  const std::string two = frame_of_length(1, 1) + frame_of_length(2, 2);
  EXPECT_EQ(first_frame(two, 100).consumed, 5U);
}

TEST(frame, of_length_zero_is_an_error) {
  EXPECT_EQ(first_frame(frame_of_length(0, 0), 100).state, frame_state::empty);
}

TEST(frame, may_have_exactly_the_limit_and_not_one_byte_more) {
  EXPECT_EQ(first_frame(frame_of_length(100, 100), 100).state, frame_state::complete);
  EXPECT_EQ(first_frame(frame_of_length(101, 0), 100).state, frame_state::too_large);
}

TEST(frame, too_large_is_known_from_the_header_alone) {
  const frame_view found = first_frame(frame_of_length(0xffffffff, 0), 1U << 20U);
  EXPECT_EQ(found.state, frame_state::too_large);
  EXPECT_EQ(found.length, 0xffffffffU);
}

}  // namespace
}  // namespace grove::wire
