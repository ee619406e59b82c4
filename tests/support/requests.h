// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "grove/v1/wire.pb.h"

namespace grove::test {

/// A call of grove.Echo's Sleep.
[[nodiscard]] v1::Envelope sleep_request(std::uint64_t id, std::string_view key, std::uint32_t milliseconds);

/// The encoding of so many EchoRequests, each in the one before.
[[nodiscard]] std::string nested_echo(int messages);

/// Keys of actors of `type` that the worker of `slot` owns.
[[nodiscard]] std::vector<std::string> keys_of(const v1::Welcome& welcome, std::string_view type, std::uint32_t slot,
                                               std::size_t count);

}  // namespace grove::test
