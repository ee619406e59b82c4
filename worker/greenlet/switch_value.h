// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <any>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include "base/check.h"
#include "worker/greenlet/errors.h"

namespace grove {

namespace greenlets::detail {
struct lending;

/// An object of a class derived from greenlet_exit, which only who knows the class can name: it stays in the exception
/// that brought it.
struct thrown_exit {
  std::exception_ptr thrown;
  const std::type_info* type;

  /// What a handler for a T would get; null if it would not catch this.
  template <typename T>
  [[nodiscard]] T* find() const noexcept {
    try {
      std::rethrow_exception(thrown);
    } catch (T& object) {
      return &object;
    } catch (...) {
      return nullptr;
    }
  }
};
}  // namespace greenlets::detail

/// What passes through a switch: nothing, or one object of any movable type (several go as a std::tuple). It differs
/// from std::any in that the object is never copied. Objects of up to three words are held in place.
/// A greenlet_exit that has ended a greenlet is found as a handler would find it: as an object of its own class, and of
/// each base that leads to greenlet_exit. It is copied out, since the exception may be thrown anew.
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
      point_at(new held(std::forward<T>(object)));
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
    if constexpr (is_exit<T>) {
      if (const exit* thrown = held_exit()) return thrown->find<T>() != nullptr;
    }
    return operations_ == home<T>() || (operations_ != nullptr && *operations_->type == typeid(T));
  }

  /// The object's type; void if the value is empty.
  [[nodiscard]] const std::type_info& type() const noexcept {
    if (empty()) return typeid(void);
    const exit* thrown = held_exit();
    return thrown != nullptr ? *thrown->type : *operations_->type;
  }

  /// The object, or null if the value is empty or holds another type.
  template <typename T>
  [[nodiscard]] T* get_if() noexcept {
    if constexpr (is_exit<T>) {
      if (const exit* thrown = held_exit()) return thrown->find<T>();
    }
    if (operations_ == home<T>()) return static_cast<T*>(fits<T> ? room_ : pointee());
    return is<T>() ? static_cast<T*>(operations_->in_room ? room_ : pointee()) : nullptr;
  }

  /// Moves the object out (copies an exit) and leaves the value empty.
  /// Errors: switch_type_error if it is empty or holds another type; the value is unchanged then.
  template <typename T>
  T take();

  void reset() noexcept {
    const operations* held = std::exchange(operations_, nullptr);
    if (held != nullptr && held->destroy != nullptr) held->destroy(room_);
  }

 private:
  friend struct greenlets::detail::lending;
  using exit = greenlets::detail::thrown_exit;

  template <typename T>
  static constexpr bool is_exit = std::is_base_of_v<greenlet_exit, T>;
  [[nodiscard]] const exit* held_exit() const noexcept {
    return operations_ != nullptr && *operations_->type == typeid(exit) ? reinterpret_cast<const exit*>(room_)
                                                                        : nullptr;
  }

  /// How an object is held: in the room, on the heap, or outside, where somebody else keeps it alive.
  struct operations {
    const std::type_info* type;
    bool in_room;                                      // else the room has a pointer to it
    void (*relocate)(void* to, void* from) noexcept;   // null: copy the bytes of the room
    void (*destroy)(void* room) noexcept;              // null: nothing to do
    void (*bring_home)(switch_value& lent) = nullptr;  // null: it is not held outside
  };
  static constexpr std::size_t room_bytes = 3 * sizeof(void*);

  template <typename T>
  static constexpr bool fits = sizeof(T) <= room_bytes &&
                               alignof(T) <= alignof(void*) && std::is_nothrow_move_constructible_v<T>;

  template <typename T>
  static void relocate_in_place(void* to, void* from) noexcept {
    std::construct_at(static_cast<T*>(to), std::move(*static_cast<T*>(from)));
    std::destroy_at(static_cast<T*>(from));
  }
  template <typename T>
  static void destroy_in_place(void* room) noexcept {
    std::destroy_at(static_cast<T*>(room));
  }
  template <typename T>
  static constexpr operations in_place{&typeid(T), true,
                                       std::is_trivially_copyable_v<T> ? nullptr : &relocate_in_place<T>,
                                       std::is_trivially_destructible_v<T> ? nullptr : &destroy_in_place<T>};

  template <typename T>
  static constexpr operations on_heap{&typeid(T), false, nullptr,
                                      [](void* room) noexcept { delete *static_cast<T**>(room); }};

  template <typename T>
  static void bring_home(switch_value& lent) {
    switch_value owned(std::move(*static_cast<T*>(lent.pointee())));
    lent = std::move(owned);
  }
  /// On the stack of the greenlet that passes it, which is suspended and destroys it when it goes on.
  template <typename T>
  static constexpr operations lent{&typeid(T), false, nullptr, nullptr, &bring_home<T>};
  /// On the stack of a greenlet that has finished: whoever gets it destroys it.
  template <typename T>
  static constexpr operations left{&typeid(T), false, nullptr,
                                   std::is_trivially_destructible_v<T>
                                       ? nullptr
                                       : +[](void* room) noexcept { std::destroy_at(*static_cast<T**>(room)); },
                                   &bring_home<T>};

  template <typename T>
  static constexpr const operations* home() {
    if constexpr (fits<T>) {
      return &in_place<T>;
    } else {
      return &on_heap<T>;
    }
  }

  void point_at(void* object) noexcept { std::memcpy(room_, &object, sizeof object); }
  [[nodiscard]] void* pointee() const noexcept {
    void* object = nullptr;
    std::memcpy(&object, room_, sizeof object);
    return object;
  }

  void take(switch_value& other) noexcept {
    operations_ = std::exchange(other.operations_, nullptr);
    if (operations_ == nullptr) return;
    if (operations_->relocate == nullptr)
      std::memcpy(room_, other.room_, room_bytes);
    else
      operations_->relocate(room_, other.room_);
  }

  const operations* operations_ = nullptr;
  alignas(void*) std::byte room_[room_bytes];
};

/// A switch passed an object of another type than its receiver asked for.
class switch_type_error : public std::bad_any_cast {
 public:
  switch_type_error(const std::type_info& passed, const std::type_info& wanted);
  /// `passed` stays with the error, so that it is not lost.
  switch_type_error(switch_value passed, const std::type_info& wanted);

  [[nodiscard]] const char* what() const noexcept override { return text_->c_str(); }
  /// What was passed by a switch; empty where the passed value still has its object.
  [[nodiscard]] switch_value& value() const noexcept { return *value_; }

 private:
  std::shared_ptr<const std::string> text_;
  std::shared_ptr<switch_value> value_;
};

namespace greenlets::detail {

/// Lets an object stay on a stack while a switch passes it: what makes a typed switch free of allocations.
///
/// - A lent object is alive until its sender runs on; the receiver takes it, or brings it home, before it runs
///   anything else.
/// - bring_home() is the one place that moves it off that stack. Whoever moves the bytes of a suspended stack away
///   calls it first.
struct lending {
  template <typename T>
  [[gnu::always_inline]] static void lend(switch_value& to, T& object) noexcept {
    to.operations_ = &switch_value::lent<T>;
    to.point_at(&object);
  }
  template <typename T>
  static void leave(switch_value& to, T& object) noexcept {
    to.operations_ = &switch_value::left<T>;
    to.point_at(&object);
  }
  /// The object, if it is a lent T. A false null is possible (another shared object's copy of the tables): then
  /// get_if() decides.
  template <typename T>
  [[gnu::always_inline]] static T* lent_object(const switch_value& from) noexcept {
    return from.operations_ == &switch_value::lent<T> ? static_cast<T*>(from.pointee()) : nullptr;
  }
  /// Forgets a lent object that has been taken.
  static void forget(switch_value& from) noexcept {
    GROVE_DEBUG_CHECK(is_outside(from), "an object is forgotten that the value itself has");
    from.operations_ = nullptr;
  }
  [[nodiscard]] static bool is_outside(const switch_value& value) noexcept {
    return value.operations_ != nullptr && value.operations_->bring_home != nullptr;
  }
  /// Errors: what the move or the allocation throws; the value is unchanged then.
  static void bring_home(switch_value& value) {
    if (is_outside(value)) value.operations_->bring_home(value);
  }
  /// The object as its taker gets it.
  template <typename T>
  [[nodiscard]] static decltype(auto) passed_on(T& object) noexcept {
    if constexpr (std::is_base_of_v<greenlet_exit, T> && std::is_copy_constructible_v<T>) {
      return std::as_const(object);
    } else {
      return std::move(object);
    }
  }
};

/// The value that stands for an exception with which a greenlet ends normally: a greenlet_exit, or what is derived from
/// it; empty for all others.
[[nodiscard]] switch_value exit_value(const std::exception_ptr& thrown);
/// The same in a handler that has caught one.
[[nodiscard]] switch_value exit_value(const greenlet_exit& caught);

}  // namespace greenlets::detail

template <typename T>
T switch_value::take() {
  T* object = get_if<T>();
  if (object == nullptr) throw switch_type_error(type(), typeid(T));
  T result = greenlets::detail::lending::passed_on(*object);
  reset();
  return result;
}
}  // namespace grove
