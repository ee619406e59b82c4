// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

namespace grove {

// Pairs of texts as messages carry them, one after the other: the sizes of both as two 32-bit numbers of this machine,
// then their bytes. No byte of a text can be taken for the end of it. They never leave the machine in this form.

using text_pair_sizes = std::array<std::uint32_t, 2>;

[[nodiscard]] constexpr std::size_t text_pair_bytes(std::string_view first, std::string_view second) noexcept {
  return sizeof(text_pair_sizes) + first.size() + second.size();
}

/// Writes the `text_pair_bytes` of a pair at `place`, and returns what follows them.
inline char* put_text_pair(char* place, std::string_view first, std::string_view second) noexcept {
  const text_pair_sizes sizes{static_cast<std::uint32_t>(first.size()), static_cast<std::uint32_t>(second.size())};
  std::memcpy(place, sizes.data(), sizeof sizes);
  place += sizeof sizes;
  for (const std::string_view text : {first, second}) {
    if (!text.empty()) std::memcpy(place, text.data(), text.size());
    place += text.size();
  }
  return place;
}

/// Takes the first pair off `pairs`; nothing when there is none, or only a part of one.
/// Lifetime: views over what `pairs` views.
[[nodiscard]] inline std::optional<std::pair<std::string_view, std::string_view>> take_text_pair(
    std::string_view& pairs) noexcept {
  text_pair_sizes sizes{};
  if (pairs.size() < sizeof sizes) return std::nullopt;
  std::memcpy(sizes.data(), pairs.data(), sizeof sizes);
  const std::string_view rest = pairs.substr(sizeof sizes);
  if (std::size_t{sizes[0]} + sizes[1] > rest.size()) return std::nullopt;
  pairs = rest.substr(std::size_t{sizes[0]} + sizes[1]);
  return std::pair{rest.substr(0, sizes[0]), rest.substr(sizes[0], sizes[1])};
}

}  // namespace grove
