// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <type_traits>
#include <utility>

#include "base/callback.h"
#include "worker/greenlet/unique_function.h"

namespace grove {

template <typename Signature>
class callback_function;

/// A unique_function that also holds callables which take only the first few of its arguments, or none
/// (see base/callback.h). It costs what a unique_function costs.
template <typename Result, typename... Args>
class callback_function<Result(Args...)> : public unique_function<Result(Args...)> {
  using base = unique_function<Result(Args...)>;

 public:
  callback_function() noexcept = default;
  callback_function(std::nullptr_t) noexcept {}  // NOLINT(google-explicit-constructor)

  template <typename F>
  requires(!std::derived_from<std::decay_t<F>, base> && callback_for<std::decay_t<F>&, Args...>)
      callback_function(F&& f)  // NOLINT(google-explicit-constructor,bugprone-forwarding-reference-overload)
      : base(adapt_callback<Result(Args...)>(std::forward<F>(f))) {}
};

}  // namespace grove
