// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <any>
#include <concepts>
#include <cstddef>
#include <memory>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace grove {

/// What passes through a switch: nothing, or one object of any movable type (several go as a std::tuple). It differs
/// from std::any in that the object is never copied. Objects of up to three words are held in place.
class switch_value {
 public:
  switch_value() noexcept = default;

  template <typename T>
  requires(!std::same_as<std::decay_t<T>, switch_value>)
      switch_value(T&& object) {  // NOLINT(google-explicit-constructor,bugprone-forwarding-reference-overload)
    using held = std::decay_t<T>;
    if constexpr (fits<held>) {
      std::construct_at(reinterpret_cast<held*>(room_), std::forward<T>(object));
      operations_ = &in_place<held>;
    } else {
      std::construct_at(reinterpret_cast<held**>(room_), new held(std::forward<T>(object)));
      operations_ = &on_heap<held>;
    }
  }

  switch_value(switch_value&& other) noexcept { take(other); }
  switch_value& operator=(switch_value&& other) noexcept {
    if (this != &other) {
      reset();
      take(other);
    }
    return *this;
  }
  ~switch_value() { reset(); }

  [[nodiscard]] bool empty() const noexcept { return operations_ == nullptr; }
  [[nodiscard]] explicit operator bool() const noexcept { return !empty(); }

  template <typename T>
  [[nodiscard]] bool is() const noexcept {
    return operations_ != nullptr && *operations_->type == typeid(T);
  }

  /// The object, or null if the value is empty or holds another type.
  template <typename T>
  [[nodiscard]] T* get_if() noexcept {
    return is<T>() ? static_cast<T*>(operations_->address(room_)) : nullptr;
  }

  /// Moves the object out and leaves the value empty.
  /// Errors: std::bad_any_cast if it is empty or holds another type; the value is unchanged then.
  template <typename T>
  T take() {
    T* object = get_if<T>();
    if (object == nullptr) throw std::bad_any_cast();
    T result = std::move(*object);
    reset();
    return result;
  }

  void reset() noexcept {
    if (const operations* held = std::exchange(operations_, nullptr)) held->destroy(room_);
  }

 private:
  struct operations {
    const std::type_info* type;
    void* (*address)(void*) noexcept;
    void (*relocate)(void* to, void* from) noexcept;
    void (*destroy)(void*) noexcept;
  };
  static constexpr std::size_t room_bytes = 3 * sizeof(void*);

  template <typename T>
  static constexpr bool fits = sizeof(T) <= room_bytes &&
                               alignof(T) <= alignof(void*) && std::is_nothrow_move_constructible_v<T>;

  template <typename T>
  static constexpr operations in_place{&typeid(T), [](void* room) noexcept { return room; },
                                       [](void* to, void* from) noexcept {
                                         std::construct_at(static_cast<T*>(to), std::move(*static_cast<T*>(from)));
                                         std::destroy_at(static_cast<T*>(from));
                                       },
                                       [](void* room) noexcept { std::destroy_at(static_cast<T*>(room)); }};

  template <typename T>
  static constexpr operations on_heap{
      &typeid(T), [](void* room) noexcept { return static_cast<void*>(*static_cast<T**>(room)); },
      [](void* to, void* from) noexcept { *static_cast<T**>(to) = *static_cast<T**>(from); },
      [](void* room) noexcept { delete *static_cast<T**>(room); }};

  void take(switch_value& other) noexcept {
    operations_ = std::exchange(other.operations_, nullptr);
    if (operations_ != nullptr) operations_->relocate(room_, other.room_);
  }

  const operations* operations_ = nullptr;
  alignas(void*) std::byte room_[room_bytes];
};

}  // namespace grove
