// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace grove {

/// The id of an actor type, or of a method within its type: XXH3-64 of the name. Part of what workers of several versions
/// say to each other.
[[nodiscard]] std::uint64_t hash_of_name(std::string_view name) noexcept;

/// The hash of an actor's address: XXH3-64 of the key, seeded with the type's id. Part of the client protocol (a client
/// routes by it), so it can only change together with the protocol's version.
[[nodiscard]] std::uint64_t hash_of_address(std::uint64_t type_id, std::string_view key) noexcept;

/// The bucket of an address among `partitions` (1 or more): the high half of hash times partitions, so that
/// it uses the first bits, which the directory's table uses last.
[[nodiscard]] constexpr std::uint32_t partition_of(std::uint64_t hash, std::uint32_t partitions) noexcept {
  return static_cast<std::uint32_t>(((hash >> 32U) * partitions) >> 32U);
}

inline constexpr std::uint32_t default_partitions = 1024;

}  // namespace grove
