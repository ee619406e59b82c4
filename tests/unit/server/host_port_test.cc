// SPDX-License-Identifier: Apache-2.0
#include "server/host_port.h"

#include <gtest/gtest.h>

namespace grove::server {
namespace {

TEST(host_port, has_a_host_and_a_port) {
  EXPECT_EQ(parse_host_port("127.0.0.1:7400"), (host_port{"127.0.0.1", 7400}));
  EXPECT_EQ(parse_host_port("localhost:0"), (host_port{"localhost", 0}));
  EXPECT_EQ(parse_host_port("[::1]:65535"), (host_port{"::1", 65535}));
  for (const auto* wrong : {"", ":7400", "7400", "host", "host:", "host:x", "host:65536", "host:-1", "::1:7400", "[]:1",
                            "a b:1", "a\tb:1", "a\x1b:1", "\xff:1", "[::1]", "host:1 ", "http://host:1"}) {
    EXPECT_FALSE(parse_host_port(wrong)) << wrong;
  }
}

TEST(host_port, of_an_ipv6_address_is_written_in_brackets) {
  EXPECT_EQ((host_port{"::1", 7400}.to_string()), "[::1]:7400");
  EXPECT_EQ((host_port{"127.0.0.1", 7400}.to_string()), "127.0.0.1:7400");
}

}  // namespace
}  // namespace grove::server
