// SPDX-License-Identifier: Apache-2.0
#include "client/cli/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "client/cli/table.h"

namespace grove::cli {

progress_bar::~progress_bar() {
  if (shown_) where_.err << "\r\033[K" << std::flush;
}

void progress_bar::show(double share, std::uint64_t count) {
  if (!where_.err_is_terminal) return;
  const std::string numbers = fmt::format(" {:3.0f} %  {}", share * 100, grouped(count));
  const int room = where_.columns - static_cast<int>(title_.size() + numbers.size()) - 3;
  const auto width = static_cast<std::size_t>(std::clamp(room, 0, 40));
  where_.err << "\r\033[K" << title_ << ' ' << bar(share, width) << numbers << std::flush;
  shown_ = true;
}

}  // namespace grove::cli
