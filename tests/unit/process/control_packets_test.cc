// SPDX-License-Identifier: Apache-2.0
#include "base/process/control_packets.h"

#include <gtest/gtest.h>

#include <string>

namespace grove {
namespace {

using namespace std::chrono_literals;

TEST(control_packets, carry_every_limit_to_the_worker) {
  limits sent;
  std::uint32_t number = 1'000;
#define GROVE_X(name, setting, unit, standard, least, most, help) sent.name = decltype(sent.name){++number};
  GROVE_LIMITS(GROVE_X)
#undef GROVE_X
  v1::ServerLimits wire;
  put_limits(sent, wire);
  const limits taken = limits_from(wire);
#define GROVE_X(name, setting, unit, standard, least, most, help) EXPECT_EQ(taken.name, sent.name) << #name;
  GROVE_LIMITS(GROVE_X)
#undef GROVE_X
}

TEST(control_packets, leave_a_limit_that_was_not_sent_at_its_default) {
  v1::ServerLimits wire;
  wire.set_key_bytes_max(7);
  const limits taken = limits_from(wire);
  EXPECT_EQ(taken.key_bytes_max, 7U);
  EXPECT_EQ(taken.call_deadline, 30s);
  EXPECT_EQ(taken.frame_bytes_max, limits{}.frame_bytes_max);
}

TEST(control_packets, are_read_whole_or_not_at_all) {
  v1::ControlMessage message;
  message.mutable_drain()->set_grace_ms(250);
  const std::string packet = message.SerializeAsString();
  ASSERT_TRUE(parse_control_packet(packet));
  EXPECT_EQ(parse_control_packet(packet)->drain().grace_ms(), 250U);
  EXPECT_FALSE(parse_control_packet(packet.substr(0, packet.size() - 1)));
}

TEST(control_packets, that_are_longer_than_any_are_none) {
  v1::ControlMessage message;
  message.mutable_failed()->set_reason(std::string(control_packet_bytes_max - 100, 'x'));
  EXPECT_TRUE(parse_control_packet(message.SerializeAsString()));
  message.mutable_failed()->set_reason(std::string(control_packet_bytes_max, 'x'));
  EXPECT_FALSE(parse_control_packet(message.SerializeAsString()));
}

}  // namespace
}  // namespace grove
