// SPDX-License-Identifier: Apache-2.0
#include "base/check.h"

#include <array>
#include <cstdio>
#include <cstdlib>

#include "base/last_words.h"

namespace grove::base::detail {

void check_failed(std::string_view condition, std::string_view text, const char* file, int line,
                  const char* function) noexcept {
  std::array<char, 1024> said{};
  std::snprintf(said.data(), said.size(), "grove: check failed: %.*s%s%.*s at %s:%d in %s\n",
                static_cast<int>(condition.size()), condition.data(), text.empty() ? "" : ": ",
                static_cast<int>(text.size()), text.data(), file, line, function);
  last_words words;
  words.say(said.data());
  words.say_stack();
  std::abort();
}

}  // namespace grove::base::detail
