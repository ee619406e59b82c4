// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "grove/v1/control.pb.h"
#include "server/config.h"

namespace grove::server::detail {

/// The message that tells a worker who it is.
[[nodiscard]] v1::ControlMessage worker_start(const server_config& config, std::uint32_t slot, std::uint32_t generation,
                                              std::uint32_t workers, std::optional<std::uint32_t> core);

[[nodiscard]] v1::ControlMessage drain_worker(std::chrono::milliseconds grace);

[[nodiscard]] v1::ControlMessage quit_worker();

}  // namespace grove::server::detail
