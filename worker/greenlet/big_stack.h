// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace grove {

namespace greenlets::detail {
/// Runs call(of) on a large stack.
void run_on_big_stack(void (*call)(void*), void* of);
}  // namespace greenlets::detail

/// Calls `f` on a pooled stack of stack_class::large, in the same greenlet, and returns what it returns or throws what
/// it throws. May be nested: code that recurses without a bound asks stack_remaining() and goes on with on_big_stack().
/// Switches: only if `f` does; it may switch and wait as any code of the greenlet.
/// Errors: stacks_exhausted if there is no stack; `f` has not been called then.
/// Cancel: what is thrown into the greenlet goes through `f` and out of here.
template <typename F>
std::invoke_result_t<F&&> on_big_stack(F&& f) {
  using result = std::invoke_result_t<F&&>;
  if constexpr (std::is_void_v<result>) {
    greenlets::detail::run_on_big_stack(
        [](void* of) { std::forward<F> (*static_cast<std::remove_reference_t<F>*>(of))(); },
        const_cast<std::remove_cvref_t<F>*>(std::addressof(f)));
  } else if constexpr (std::is_reference_v<result>) {
    return *on_big_stack([&f] { return std::addressof(std::forward<F>(f)()); });
  } else {
    std::optional<result> returned;
    on_big_stack([&] { returned.emplace(std::forward<F>(f)()); });
    return *std::move(returned);
  }
}

}  // namespace grove
