// SPDX-License-Identifier: Apache-2.0
#include "base/process/control_packets.h"

#include <chrono>
#include <cstdint>

namespace grove {

namespace {

// The field of a limit has the limit's name, and that of a time says its unit as well.
#define GROVE_FIELD_bytes(name) name
#define GROVE_FIELD_count(name) name
#define GROVE_FIELD_milliseconds(name) name##_ms

std::uint32_t wire_value(std::uint32_t value) noexcept {
  return value;
}

std::uint64_t wire_value(std::chrono::milliseconds value) noexcept {
  return static_cast<std::uint64_t>(value.count());
}

void take(std::uint32_t& into, std::uint32_t sent) noexcept {
  if (sent != 0) into = sent;
}

void take(std::chrono::milliseconds& into, std::uint64_t sent) noexcept {
  if (sent != 0) into = std::chrono::milliseconds{sent};
}

}  // namespace

std::optional<v1::ControlMessage> parse_control_packet(std::string_view packet) {
  std::optional<v1::ControlMessage> message{std::in_place};
  if (packet.size() > control_packet_bytes_max ||
      !message->ParseFromArray(packet.data(), static_cast<int>(packet.size())))
    message.reset();
  return message;
}

#define GROVE_SETTER_2(field) set_##field
#define GROVE_SETTER(field) GROVE_SETTER_2(field)

void put_limits(const limits& in, v1::ServerLimits& out) {
#define GROVE_X(name, setting, unit, standard, least, most, help) \
  out.GROVE_SETTER(GROVE_FIELD_##unit(name))(wire_value(in.name));
  GROVE_LIMITS(GROVE_X)
#undef GROVE_X
}

limits limits_from(const v1::ServerLimits& sent) {
  limits made;
#define GROVE_X(name, setting, unit, standard, least, most, help) take(made.name, sent.GROVE_FIELD_##unit(name)());
  GROVE_LIMITS(GROVE_X)
#undef GROVE_X
  return made;
}

#undef GROVE_SETTER
#undef GROVE_SETTER_2
#undef GROVE_FIELD_milliseconds
#undef GROVE_FIELD_count
#undef GROVE_FIELD_bytes

}  // namespace grove
