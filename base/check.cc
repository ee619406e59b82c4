// SPDX-License-Identifier: Apache-2.0
#include "base/check.h"

#include <execinfo.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>

namespace grove::base::detail {

void check_failed(std::string_view condition, std::string_view text, const char* file, int line,
                  const char* function) noexcept {
  std::fprintf(stderr, "grove: check failed: %.*s%s%.*s at %s:%d in %s\n", static_cast<int>(condition.size()),
               condition.data(), text.empty() ? "" : ": ", static_cast<int>(text.size()), text.data(), file, line,
               function);
  std::fflush(stderr);
  std::array<void*, 64> frames{};
  ::backtrace_symbols_fd(frames.data(), ::backtrace(frames.data(), static_cast<int>(frames.size())), STDERR_FILENO);
  std::abort();
}

}  // namespace grove::base::detail
