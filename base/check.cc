// SPDX-License-Identifier: Apache-2.0
#include "base/check.h"

#include <array>
#include <cstdio>

#include "base/fatal.h"

namespace grove::base::detail {

void check_failed(std::string_view condition, std::string_view text, const char* file, int line,
                  const char* function) noexcept {
  std::array<char, 2048> said{};
  std::snprintf(said.data(), said.size(), "check failed: %.*s%s%.*s at %s:%d in %s", static_cast<int>(condition.size()),
                condition.data(), text.empty() ? "" : ": ", static_cast<int>(text.size()), text.data(), file, line,
                function);
  fatal(said.data());
}

}  // namespace grove::base::detail
