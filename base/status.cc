// SPDX-License-Identifier: Apache-2.0
#include "base/status.h"

#include <array>

namespace grove {

std::string_view to_string(status_code code) noexcept {
  static constexpr std::array<std::string_view, 17> names = {
      "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
      "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
      "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
      "DATA_LOSS", "UNAUTHENTICATED"};
  const auto index = static_cast<std::size_t>(code);
  return index < names.size() ? names[index] : "UNKNOWN";
}

std::string_view to_string(outcome value) noexcept {
  switch (value) {
    case outcome::executed:
      return "executed";
    case outcome::not_executed:
      return "not executed";
    case outcome::unspecified:
    case outcome::unknown:
      break;
  }
  return "unknown";
}

std::string status::to_string() const {
  std::string text{grove::to_string(code_)};
  if (!message_.empty()) text.append(": ").append(message_);
  return text;
}

}  // namespace grove
