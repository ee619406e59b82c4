// SPDX-License-Identifier: Apache-2.0
#include "proto/wire/protobuf_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "grove/v1/wire.pb.h"

namespace grove {
namespace {

TEST(protobuf_log, gets_what_protobuf_says_of_a_text_that_is_no_utf8) {
  std::vector<std::string> said;
  const protobuf_log log{
      [&](bool is_error, std::string_view text) { said.push_back((is_error ? "error " : "") + std::string{text}); }};
  v1::Request request;
  // Field 2, two bytes that are no UTF-8.
  std::string bytes;
  request.set_type("ab");
  request.SerializeToString(&bytes);
  bytes.replace(bytes.find("ab"), 2, "\xff\xfe");
  testing::internal::CaptureStderr();
  EXPECT_FALSE(request.ParseFromString(bytes));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_THAT(said, testing::ElementsAre(testing::ContainsRegex("^error String field .* contains invalid UTF-8 data")));
}

}  // namespace
}  // namespace grove
