// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"

#include <xxhash.h>

namespace grove {

std::uint64_t hash_of_name(std::string_view name) noexcept {
  return XXH3_64bits(name.data(), name.size());
}

std::uint64_t hash_of_address(std::uint64_t type_id, std::string_view key) noexcept {
  return XXH3_64bits_withSeed(key.data(), key.size(), type_id);
}

}  // namespace grove
