// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <type_traits>

namespace grove::tasks::detail {

struct nothing {};

/// T, or something to keep in its place where there is no value.
template <typename T>
using stored = std::conditional_t<std::is_void_v<T>, nothing, T>;

/// Calls, and keeps what that returns.
template <typename T, typename F>
void store_result(std::optional<stored<T>>& into, F& call) {
  if constexpr (std::is_void_v<T>) {
    call();
    into.emplace();
  } else {
    into.emplace(call());
  }
}

}  // namespace grove::tasks::detail
