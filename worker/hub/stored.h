// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <type_traits>

namespace grove::hubs::detail {

struct nothing {};

/// T, or something to keep in its place where there is no value.
template <typename T>
using stored = std::conditional_t<std::is_void_v<T>, nothing, T>;

}  // namespace grove::hubs::detail
