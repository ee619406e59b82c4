// SPDX-License-Identifier: Apache-2.0
#include "client/address.h"

#include <gmock/gmock.h>

namespace grove {
namespace {

using ::testing::HasSubstr;

[[nodiscard]] std::string read(std::string_view text) {
  const auto parsed = parse_server_address(text);
  const auto* address = std::get_if<server_address>(&parsed);
  return address != nullptr ? address->host + " " + std::to_string(address->port) : "wrong";
}

[[nodiscard]] std::string why(std::string_view text) {
  const auto parsed = parse_server_address(text);
  const auto* failure = std::get_if<status>(&parsed);
  return failure != nullptr ? failure->message() : "right";
}

TEST(server_address, is_a_host_and_a_port_of_which_either_may_be_left_out) {
  EXPECT_EQ(read("example.org:81"), "example.org 81");
  EXPECT_EQ(read("example.org"), "example.org 7400");
  EXPECT_EQ(read(":81"), "127.0.0.1 81");
  EXPECT_EQ(read("[::1]:81"), "::1 81");
  EXPECT_EQ(read("[::1]"), "::1 7400");
  EXPECT_EQ(read("h:1"), "h 1");
  EXPECT_EQ(read("h:65535"), "h 65535");
}

TEST(server_address, is_refused_with_what_is_wrong) {
  EXPECT_THAT(why(""), HasSubstr("is empty"));
  EXPECT_THAT(why("h:"), HasSubstr("no port from 1 to 65535"));
  EXPECT_THAT(why("h:0"), HasSubstr("no port from 1 to 65535"));
  EXPECT_THAT(why("h:65536"), HasSubstr("no port from 1 to 65535"));
  EXPECT_THAT(why("h:7x"), HasSubstr("no port from 1 to 65535"));
  EXPECT_THAT(why("::1:7400"), HasSubstr("brackets"));
  EXPECT_THAT(why("[::1"), HasSubstr("no ']'"));
  EXPECT_THAT(why("[]:1"), HasSubstr("no host"));
  EXPECT_THAT(why("[::1]7400"), HasSubstr("after ']'"));
  EXPECT_THAT(why("http://h:1"), HasSubstr("more than one ':'"));
  EXPECT_THAT(why("h:7x"), HasSubstr("\"h:7x\""));
}

TEST(server_address, is_printed_as_it_is_read) {
  EXPECT_EQ((server_address{"::1", 81}.to_string()), "[::1]:81");
  EXPECT_EQ((server_address{"example.org", 81}.to_string()), "example.org:81");
}

}  // namespace
}  // namespace grove
