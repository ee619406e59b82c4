// SPDX-License-Identifier: Apache-2.0
#include "base/limit_text.h"

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

}  // namespace grove
