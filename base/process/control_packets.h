// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "base/process/limits.h"
#include "grove/v1/control.pb.h"

namespace grove {

/// A control connection carries one ControlMessage a packet, and no packet is longer.
inline constexpr std::size_t control_packet_bytes_max = std::size_t{64} * 1024;

/// The message in a packet. Empty for a packet that is none, or that is longer than any may be.
[[nodiscard]] std::optional<v1::ControlMessage> parse_control_packet(std::string_view packet);

/// Limits on the wire.
void put_limits(const limits& in, v1::ServerLimits& out);

/// The limits that were sent; what is 0 there is at its default.
[[nodiscard]] limits limits_from(const v1::ServerLimits& sent);

}  // namespace grove
