// SPDX-License-Identifier: Apache-2.0
#include "base/limit_text.h"

#include "base/values.h"

namespace grove {

std::string over_limit_text(std::string_view what, std::size_t bytes, std::string_view limit, std::size_t allowed) {
  return std::string{what}
      .append(" has ")
      .append(std::to_string(bytes))
      .append(" bytes; ")
      .append(limit)
      .append(" allows ")
      .append(std::to_string(allowed));
}

std::string over_time_limit_text(std::chrono::microseconds asked, std::chrono::microseconds allowed) {
  return "the call asks for " + duration_value(asked) + "; call_microseconds_max allows " + duration_value(allowed);
}

}  // namespace grove
