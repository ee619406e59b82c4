// SPDX-License-Identifier: Apache-2.0
#include "base/check.h"

#include <execinfo.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>

namespace grove::base::detail {

void check_failed(std::string_view condition, std::string_view text, std::source_location where) noexcept {
  std::fprintf(stderr, "grove: check failed: %.*s%s%.*s at %s:%u in %s\n", static_cast<int>(condition.size()),
               condition.data(), text.empty() ? "" : ": ", static_cast<int>(text.size()), text.data(),
               where.file_name(), where.line(), where.function_name());
  std::fflush(stderr);
  std::array<void*, 64> frames{};
  ::backtrace_symbols_fd(frames.data(), ::backtrace(frames.data(), static_cast<int>(frames.size())),
                         STDERR_FILENO);
  std::abort();
}

}  // namespace grove::base::detail
