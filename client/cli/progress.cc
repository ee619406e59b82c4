// SPDX-License-Identifier: Apache-2.0
#include "client/cli/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ostream>

#include "client/cli/table.h"

namespace grove::cli {

progress_bar::~progress_bar() {
  if (shown_) where_.err << "\r\033[K" << std::flush;
}

void progress_bar::show(const load_state& state) {
  if (!where_.err_is_terminal) return;
  const std::chrono::duration<double> since = state.elapsed - last_.elapsed;
  const double rate = since.count() > 0 ? static_cast<double>(state.answers - last_.answers) / since.count() : 0;
  last_ = state;
  const std::string numbers = fmt::format(" {:3.0f} %  {}  {}/s  {} left", state.share * 100, grouped(state.answers),
                                          grouped(static_cast<std::uint64_t>(rate)), time_left(state));
  const int room = where_.columns - static_cast<int>(title_.size() + numbers.size()) - 3;
  const auto width = static_cast<std::size_t>(std::clamp(room, 0, 40));
  where_.err << "\r\033[K" << title_ << ' ' << bar(state.share, width) << numbers << std::flush;
  shown_ = true;
}

std::string time_left(const load_state& state) {
  if (state.share <= 0) return "?";
  const auto seconds = static_cast<std::uint64_t>(std::ceil(state.elapsed.count() * (1 - state.share) / state.share));
  if (seconds < 3'600) return fmt::format("{}:{:02}", seconds / 60, seconds % 60);
  return fmt::format("{}:{:02}:{:02}", seconds / 3'600, seconds / 60 % 60, seconds % 60);
}

}  // namespace grove::cli
