// SPDX-License-Identifier: Apache-2.0
#pragma once

// The two ends of a typed switch: what its sender lends, and how its receiver takes it.

#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include "worker/greenlet/switch_value.h"

namespace grove::greenlets::detail {

/// The arguments of a switch, for as long as their sender is suspended. Rvalues stay where they are, lvalues are
/// copied.
template <typename... Args>
class parcel {
 public:
  explicit parcel(Args&&... args) : objects_(std::forward<Args>(args)...) {}
  /// False if there is nothing to pass.
  bool put_into(switch_value& to) noexcept {
    lending::lend(to, objects_);
    return true;
  }
  /// As put_into(), but a switch_value that is the only argument stays where it is.
  switch_value& find_or_put_into(switch_value& room) noexcept {
    put_into(room);
    return room;
  }

 private:
  std::tuple<std::decay_t<Args>...> objects_;
};

template <>
class parcel<> {
 public:
  bool put_into(switch_value&) noexcept { return false; }
  switch_value& find_or_put_into(switch_value& room) noexcept { return room; }
};

template <typename Arg>
class parcel<Arg> {
 public:
  explicit parcel(Arg&& object) : object_(object) {}
  bool put_into(switch_value& to) noexcept {
    lending::lend(to, object_);
    return true;
  }
  switch_value& find_or_put_into(switch_value& room) noexcept {
    put_into(room);
    return room;
  }

 private:
  using held = std::decay_t<Arg>;
  std::conditional_t<std::is_same_v<Arg, held>, held&, held> object_;
};

template <>
class parcel<switch_value> {
 public:
  explicit parcel(switch_value&& value) : value_(value) {}
  bool put_into(switch_value& to) noexcept {
    to = std::move(value_);
    return !to.empty();
  }
  switch_value& find_or_put_into(switch_value&) noexcept { return value_; }

 private:
  switch_value& value_;
};

/// Takes an object of a type that only the receiver knows out of what was passed to it.
struct taker {
  void* into;
  void (*take)(void* into, switch_value& passed);
};

/// Errors: switch_type_error, with what was passed.
template <typename R>
void take_into(void* into, switch_value& passed) {
  auto& to = *static_cast<std::optional<R>*>(into);
  if constexpr (std::is_same_v<R, switch_value>) {
    lending::bring_home(passed);
    to.emplace(std::move(passed));
  } else if (R* object = passed.get_if<R>()) {
    to.emplace(lending::passed_on(*object));
    passed.reset();
  } else {
    throw switch_type_error(std::move(passed), typeid(R));
  }
}

/// Calls `receive` with a taker for an R and returns what that has taken.
template <typename R, typename F>
[[gnu::noinline]] R take_slowly(F&& receive) {
  if constexpr (std::is_void_v<R>) {
    receive({nullptr, [](void*, switch_value& passed) { passed.reset(); }});
  } else {
    std::optional<R> result;
    receive({&result, &take_into<R>});
    return std::move(*result);
  }
}

}  // namespace grove::greenlets::detail
