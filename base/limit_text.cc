// SPDX-License-Identifier: Apache-2.0
#include "base/limit_text.h"

#include <algorithm>

#include "base/values.h"

namespace grove {

std::string setting_of_limit(std::string_view limit) {
  std::string setting{"limits."};
  setting.append(limit).append("-max");
  std::ranges::replace(setting, '_', '-');
  return setting;
}

std::string limit_text(std::string_view limit, std::size_t allowed) {
  std::string text{limit};
  return text.append(" allows ").append(std::to_string(allowed)).append(" (").append(setting_of_limit(limit)) + ")";
}

std::string over_limit_text(std::string_view what, std::size_t bytes, std::string_view limit, std::size_t allowed) {
  std::string text{what};
  return text.append(" has ").append(std::to_string(bytes)).append(" bytes; ").append(limit_text(limit, allowed));
}

std::string over_time_limit_text(std::chrono::microseconds asked, std::chrono::microseconds allowed) {
  return "the call asks for " + duration_value(asked) + "; call_microseconds_max allows " + duration_value(allowed) +
         " (limits.call-deadline-max)";
}

}  // namespace grove
