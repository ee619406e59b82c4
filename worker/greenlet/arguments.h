// SPDX-License-Identifier: Apache-2.0
#pragma once

// Several objects in one switch, with names or without, as Python's greenlet packs the arguments of switch().

#include <algorithm>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "worker/greenlet/switch_value.h"

namespace grove {

struct named_value {
  std::string name;
  switch_value value;
};

/// A named argument for pack().
template <typename T>
[[nodiscard]] named_value named(std::string_view name, T&& object) {
  return {std::string(name), switch_value(std::forward<T>(object))};
}

/// Objects that are found by their names.
class named_values {
 public:
  /// Replaces one of the same name.
  void add(named_value made) {
    if (switch_value* old = find(made.name))
      *old = std::move(made.value);
    else
      values_.push_back(std::move(made));
  }
  [[nodiscard]] switch_value* find(std::string_view name) noexcept {
    const auto found = std::ranges::find(values_, name, &named_value::name);
    return found == values_.end() ? nullptr : &found->value;
  }
  /// Errors: switch_type_error if there is no T of that name.
  template <typename T>
  T take(std::string_view name) {
    switch_value nothing;
    switch_value* found = find(name);
    return (found != nullptr ? found : &nothing)->take<T>();
  }
  /// As take(), but `otherwise` if there is nothing of that name, or nothing any more.
  template <typename T>
  T take_or(std::string_view name, T otherwise) {
    switch_value* found = find(name);
    return found == nullptr || found->empty() ? std::move(otherwise) : found->take<T>();
  }
  [[nodiscard]] std::size_t size() const noexcept { return values_.size(); }

 private:
  std::vector<named_value> values_;
};

/// What pack() makes of arguments of both kinds.
struct arguments {
  switch_value positional;  ///< always a std::tuple
  named_values named;
};

namespace greenlets::detail {
template <typename T>
auto positional_part(T&& object) {
  if constexpr (std::is_same_v<std::decay_t<T>, named_value>) {
    return std::tuple<>();
  } else {
    return std::tuple<std::decay_t<T>>(std::forward<T>(object));
  }
}
template <typename T>
void add_named_part(named_values& to, T& object) {
  if constexpr (std::is_same_v<T, named_value>) to.add(std::move(object));
}
}  // namespace greenlets::detail

/// The value that a switch passes for `args`: empty for none; the object itself for one without a name; a std::tuple
/// for several; named_values if all have names; `arguments` for both kinds.
template <typename... Args>
[[nodiscard]] switch_value pack(Args&&... args) {
  constexpr std::size_t names = (std::size_t{0} + ... + std::size_t{std::is_same_v<std::decay_t<Args>, named_value>});
  constexpr std::size_t others = sizeof...(Args) - names;
  named_values named;
  (greenlets::detail::add_named_part(named, args), ...);
  auto positional = std::tuple_cat(greenlets::detail::positional_part(std::forward<Args>(args))...);
  if constexpr (names == 0 && others == 0) {
    return {};
  } else if constexpr (names == 0 && others == 1) {
    return std::move(std::get<0>(positional));
  } else if constexpr (names == 0) {
    return positional;
  } else if constexpr (others == 0) {
    return named;
  } else {
    return arguments{std::move(positional), std::move(named)};
  }
}

}  // namespace grove
