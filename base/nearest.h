// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

namespace grove {

/// The candidate that `word` was most likely meant to be, by Levenshtein's distance; empty when none is near
/// (more than a third of the word is wrong). For errors that say what would have been right.
[[nodiscard]] std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace grove
