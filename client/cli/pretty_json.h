// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace grove::cli {

/// JSON with each member and element on a line of its own, two spaces a level; `json` is valid.
[[nodiscard]] std::string indented(std::string_view json);

}  // namespace grove::cli
