// SPDX-License-Identifier: Apache-2.0
#pragma once

// What makes a callable the body of a greenlet: it gets the object that the first switch passes, and its result stays
// on the greenlet's own stack until the receiver has taken it.

#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>

#include "worker/greenlet/switch_value.h"
#include "worker/greenlet/typed_parcel.h"
#include "worker/greenlet/unique_function.h"

namespace grove::greenlets::detail {

struct thread_hot;

/// Ends a switch on the side of its receiver: cleans up, and gives `with` what was passed.
void receive_slowly(thread_hot& thread, taker with);

/// A run of a greenlet, as its body sees it.
class body_frame {
 public:
  explicit body_frame(thread_hot& thread) noexcept : thread_(thread) {}

  /// What the first switch passed. To be called once, first of all.
  template <typename R>
  R receive() {
    return take_slowly<R>([&](taker with) { receive_slowly(thread_, with); });
  }
  /// Ends the run with a result that stays where it is until its receiver has it. No destructor runs any more.
  template <typename R>
  [[noreturn]] void leave(R& result) noexcept {
    switch_value passed;
    lending::leave(passed, result);
    end(std::move(passed));
  }
  [[noreturn]] void end(switch_value result) noexcept;

 private:
  thread_hot& thread_;
};

/// Ends with body_frame::end(), or returns (which passes nothing), or throws.
using body_function = unique_function<void(body_frame&)>;

/// What a callable takes, as far as its type says it.
template <typename F>
struct parameters {
  static constexpr bool known = false;
};
template <typename R, typename... Args>
struct parameters<R (*)(Args...)> {
  static constexpr bool known = true;
  using type = std::tuple<std::decay_t<Args>...>;
};
template <typename R, typename C, typename... Args>
struct parameters<R (C::*)(Args...)> : parameters<R (*)(Args...)> {};
template <typename R, typename C, typename... Args>
struct parameters<R (C::*)(Args...) const> : parameters<R (*)(Args...)> {};
template <typename R, typename C, typename... Args>
struct parameters<R (C::*)(Args...) noexcept> : parameters<R (*)(Args...)> {};
template <typename R, typename C, typename... Args>
struct parameters<R (C::*)(Args...) const noexcept> : parameters<R (*)(Args...)> {};
template <typename F>
requires requires {
  &F::operator();
}
struct parameters<F> : parameters<decltype(&F::operator())> {};

template <typename F>
decltype(auto) call_body(F& run, body_frame& frame) {
  if constexpr (parameters<F>::known) {
    using types = typename parameters<F>::type;
    if constexpr (std::tuple_size_v<types> == 0) {
      frame.receive<void>();
      return run();
    } else if constexpr (std::tuple_size_v<types> == 1) {
      return run(frame.receive<std::tuple_element_t<0, types>>());
    } else {
      return std::apply(run, frame.receive<types>());
    }
  } else if constexpr (std::is_invocable_v<F&, switch_value>) {
    return run(frame.receive<switch_value>());
  } else {
    frame.receive<void>();
    return run();
  }
}

template <typename F>
body_function make_body(F&& run) {
  using held = std::decay_t<F>;
  return [run = held(std::forward<F>(run))](body_frame& frame) mutable {
    using result = std::decay_t<decltype(call_body(run, frame))>;
    if constexpr (std::is_void_v<result>) {
      call_body(run, frame);
    } else if constexpr (std::is_same_v<result, switch_value>) {
      frame.end(call_body(run, frame));
    } else {
      result passed = call_body(run, frame);
      frame.leave(passed);
    }
  };
}

}  // namespace grove::greenlets::detail
