// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "worker/hub/wait_bound.h"

namespace grove {

/// What a timeout throws; outside std::exception, so that ordinary handlers let it pass. A handler asks the timeout
/// whether it is its own: `catch (const timeout_expired& e) { if (!limit.owns(e)) throw; ... }`.
struct timeout_expired {
  std::uint64_t identity = 0;  ///< no other time-out of the process has it, in whatever hub
  std::string text{};          ///< what its timeout was given
};

/// Bounds the waits of the calling greenlet while it exists. Nothing is thrown into code that does not wait. It is
/// started when it is made and ends with its scope, so that it cannot be started twice or be left running. A silent
/// one is with_timeout().
class timeout final : public wait_bound {
 public:
  /// Zero or less fires at the next wait.
  explicit timeout(time_span limit) : timeout(hub::current(), limit) {}
  /// Never fires if `limit` is empty.
  timeout(hub& on, std::optional<time_span> limit);
  /// What it throws says `text`.
  timeout(time_span limit, std::string text);
  /// Throws `instead`, which it cannot own: fired() tells.
  timeout(time_span limit, std::exception_ptr instead);

  [[nodiscard]] bool owns(const timeout_expired& thrown) const noexcept { return thrown.identity == identity_; }

  /// Starts it anew, from now on; it need not have been cancelled. Never fires if `limit` is empty.
  void restart(std::optional<time_span> limit) noexcept;

 private:
  [[nodiscard]] std::exception_ptr make_exception() override;
  std::uint64_t identity_;
  std::string text_;
  std::exception_ptr instead_;
};

/// Calls `call` under a timeout. Empty (false, for a call that returns nothing) if that timeout fired.
/// Never in line: its handler must not be taken for one of a function around it, see would_end_process().
template <typename F>
[[gnu::noinline]] auto with_timeout(time_span limit, F&& call) {
  using result = std::invoke_result_t<F>;
  timeout bound(limit);
  try {
    if constexpr (std::is_void_v<result>) {
      std::forward<F>(call)();
      return true;
    } else {
      return std::optional<result>(std::forward<F>(call)());
    }
  } catch (const timeout_expired& thrown) {
    if (!bound.owns(thrown)) throw;
  }
  if constexpr (std::is_void_v<result>) {
    return false;
  } else {
    return std::optional<result>();
  }
}

/// The same, with a value for the case that the timeout fired.
template <typename F>
std::invoke_result_t<F> with_timeout(time_span limit, F&& call,
                                     std::type_identity_t<std::invoke_result_t<F>> otherwise) {
  auto result = with_timeout(limit, std::forward<F>(call));
  return result ? std::move(*result) : std::move(otherwise);
}

}  // namespace grove
