// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>

namespace grove {

/// Whether `error` would be caught by a handler for one of the types.
template <typename... Types>
[[nodiscard]] bool thrown_is(const std::exception_ptr& error) noexcept {
  const auto is = []<typename Type>(const std::exception_ptr& thrown, const Type*) noexcept {
    try {
      std::rethrow_exception(thrown);
    } catch (const Type&) {
      return true;
    } catch (...) {
      return false;
    }
  };
  return error != nullptr && (is(error, static_cast<const Types*>(nullptr)) || ...);
}

}  // namespace grove
