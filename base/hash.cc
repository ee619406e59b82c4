// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"

#include <xxhash.h>

namespace grove {

std::uint64_t hash_of_type(std::string_view type) noexcept {
  return XXH3_64bits(type.data(), type.size());
}

std::uint64_t hash_of_address(std::uint64_t type_hash, std::string_view key) noexcept {
  return XXH3_64bits_withSeed(key.data(), key.size(), type_hash);
}

}  // namespace grove
