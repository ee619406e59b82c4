// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include "base/check.h"

namespace grove {

template <typename Signature>
class unique_function;

/// A callable that is moved and never copied, so that it can own sockets, handles and other unique functions.
/// Callables of up to four words that move without throwing are held in place; larger ones cost one allocation.
template <typename Result, typename... Args>
class unique_function<Result(Args...)> {
 public:
  unique_function() noexcept = default;
  unique_function(std::nullptr_t) noexcept {}  // NOLINT(google-explicit-constructor)

  template <typename F>
  requires(!std::same_as<std::decay_t<F>, unique_function> && std::is_invocable_r_v<Result, std::decay_t<F>&, Args...>)
      unique_function(F&& f) {  // NOLINT(google-explicit-constructor,bugprone-forwarding-reference-overload)
    using held = std::decay_t<F>;
    if constexpr (fits<held>) {
      std::construct_at(reinterpret_cast<held*>(room_), std::forward<F>(f));
      operations_ = &in_place<held>;
    } else {
      std::construct_at(reinterpret_cast<held**>(room_), new held(std::forward<F>(f)));
      operations_ = &on_heap<held>;
    }
  }

  unique_function(unique_function&& other) noexcept { take(other); }
  unique_function& operator=(unique_function&& other) noexcept {
    if (this != &other) {
      reset();
      take(other);
    }
    return *this;
  }
  ~unique_function() { reset(); }

  [[nodiscard]] explicit operator bool() const noexcept { return operations_ != nullptr; }

  /// Calls the callable. An empty one must not be called.
  Result operator()(Args... args) {
    GROVE_DEBUG_CHECK(operations_ != nullptr, "an empty function is called");
    return operations_->call(room_, std::forward<Args>(args)...);
  }

  void reset() noexcept {
    if (const operations* held = std::exchange(operations_, nullptr)) held->destroy(room_);
  }

 private:
  struct operations {
    Result (*call)(void*, Args&&...);
    void (*relocate)(void* to, void* from) noexcept;
    void (*destroy)(void*) noexcept;
  };
  static constexpr std::size_t room_bytes = 4 * sizeof(void*);

  template <typename F>
  static constexpr bool fits = sizeof(F) <= room_bytes &&
                               alignof(F) <= alignof(void*) && std::is_nothrow_move_constructible_v<F>;

  template <typename F>
  static constexpr operations in_place{[](void* room, Args&&... args) -> Result {
                                         return std::invoke(*static_cast<F*>(room), std::forward<Args>(args)...);
                                       },
                                       [](void* to, void* from) noexcept {
                                         std::construct_at(static_cast<F*>(to), std::move(*static_cast<F*>(from)));
                                         std::destroy_at(static_cast<F*>(from));
                                       },
                                       [](void* room) noexcept { std::destroy_at(static_cast<F*>(room)); }};

  template <typename F>
  static constexpr operations on_heap{
      [](void* room, Args&&... args) -> Result {
        return std::invoke(**static_cast<F**>(room), std::forward<Args>(args)...);
      },
      [](void* to, void* from) noexcept { *static_cast<F**>(to) = *static_cast<F**>(from); },
      [](void* room) noexcept { delete *static_cast<F**>(room); }};

  void take(unique_function& other) noexcept {
    operations_ = std::exchange(other.operations_, nullptr);
    if (operations_ != nullptr) operations_->relocate(room_, other.room_);
  }

  const operations* operations_ = nullptr;
  alignas(void*) std::byte room_[room_bytes];
};

}  // namespace grove
