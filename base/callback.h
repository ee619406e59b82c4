// SPDX-License-Identifier: Apache-2.0
#pragma once

// Calls with as many arguments as the callable wants, resolved at compile time: a handler is offered, say, (value, task,
// context) and may be written for all three, for two, for one or for none. The idea is underscore's optimizeCb, which
// picks a wrapper by the number of arguments; here no wrapper is left when the program runs.
//
// - The longest prefix of what is offered that the callable takes is passed.
// - A callable that can be called as const is, so that a handler may be shared; only others are called as they are.
// - Nothing is copied, boxed or looked up: the call compiles to the direct call.

#include <cstddef>
#include <functional>
#include <limits>
#include <tuple>
#include <type_traits>
#include <utility>

namespace grove {

namespace callbacks::detail {

inline constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

template <typename F, typename Offered, std::size_t... Index>
consteval bool takes(std::index_sequence<Index...>) {
  return std::is_invocable_v<F, std::tuple_element_t<Index, Offered>...>;
}

template <typename F, typename Offered, std::size_t Count>
consteval std::size_t longest() {
  if constexpr (takes<F, Offered>(std::make_index_sequence<Count>{})) {
    return Count;
  } else if constexpr (Count == 0) {
    return none;
  } else {
    return longest<F, Offered, Count - 1>();
  }
}

template <typename F, typename... Offered>
inline constexpr std::size_t taken = longest<F, std::tuple<Offered...>, sizeof...(Offered)>();

/// F, or F as const if that takes as much.
template <typename F, typename... Offered>
using callee = std::conditional_t<taken<const std::remove_reference_t<F>&, Offered...> == taken<F, Offered...>,
                                  const std::remove_reference_t<F>&, F>;

template <typename F, typename Offered, std::size_t... Index>
[[gnu::always_inline]] constexpr decltype(auto) call_prefix(F&& f, Offered&& offered, std::index_sequence<Index...>) {
  return std::invoke(std::forward<F>(f), std::get<Index>(std::forward<Offered>(offered))...);
}

}  // namespace callbacks::detail

/// Whether F can be called with a prefix of what is offered, the empty one included.
template <typename F, typename... Offered>
concept callback_for = callbacks::detail::taken<F&&, Offered&&...>
!= callbacks::detail::none;

/// How many of the offered arguments it gets.
template <typename F, typename... Offered>
requires callback_for<F, Offered...>
inline constexpr std::size_t callback_arity = callbacks::detail::taken<F&&, Offered&&...>;

/// Calls `f` with as many of the arguments, from the first on, as it takes, and returns what it returns.
template <typename F, typename... Offered>
[[gnu::always_inline]] constexpr decltype(auto) call_callback(F&& f, Offered&&... offered) {
  static_assert(
      callback_for<F, Offered...>,
      "the handler takes neither what it is offered, nor the first few of it, nor nothing: check the types of "
      "its parameters, in their order, and whether it wants a reference where a value is passed");
  using callee = callbacks::detail::callee<F&&, Offered&&...>;
  return callbacks::detail::call_prefix(static_cast<callee>(f),
                                        std::forward_as_tuple(std::forward<Offered>(offered)...),
                                        std::make_index_sequence<callback_arity<F, Offered...>>{});
}

template <typename Signature, typename F>
class adapted_callback;

/// A callable of exactly this signature around one that may take less. It is as large as the one inside.
template <typename Result, typename... Offered, typename F>
class adapted_callback<Result(Offered...), F> {
 public:
  explicit constexpr adapted_callback(F f) noexcept(std::is_nothrow_move_constructible_v<F>) : call_(std::move(f)) {}

  [[gnu::always_inline]] constexpr Result operator()(Offered... offered) {
    return static_cast<Result>(call_callback(call_, std::forward<Offered>(offered)...));
  }

 private:
  F call_;
};

/// `adapt_callback<void(task_base&)>(handler)`: what a type-erased function can hold.
template <typename Signature, typename F>
[[nodiscard]] constexpr auto adapt_callback(F&& f) {
  return adapted_callback<Signature, std::decay_t<F>>(std::forward<F>(f));
}

}  // namespace grove
