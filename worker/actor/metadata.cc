// SPDX-License-Identifier: Apache-2.0
#include "worker/actor/metadata.h"

#include <array>
#include <cstdint>
#include <cstring>

namespace grove {
namespace {

using entry_sizes = std::array<std::uint32_t, 2>;

}  // namespace

void append_call_metadata(std::string& to, std::string_view name, std::string_view value) {
  const entry_sizes sizes{static_cast<std::uint32_t>(name.size()), static_cast<std::uint32_t>(value.size())};
  to.append(reinterpret_cast<const char*>(sizes.data()), sizeof sizes).append(name).append(value);
}

std::optional<std::string_view> find_metadata(std::string_view entries, std::string_view name) noexcept {
  std::optional<std::string_view> found;
  entry_sizes sizes{};
  while (entries.size() >= sizeof sizes) {
    std::memcpy(sizes.data(), entries.data(), sizeof sizes);
    entries.remove_prefix(sizeof sizes);
    const std::size_t whole = std::size_t{sizes[0]} + sizes[1];
    if (whole > entries.size()) break;
    if (entries.substr(0, sizes[0]) == name) found = entries.substr(sizes[0], sizes[1]);
    entries.remove_prefix(whole);
  }
  return found;
}

}  // namespace grove
