// SPDX-License-Identifier: Apache-2.0
#pragma once

// Values of which every greenlet has its own (local), or every tree of spawned greenlets (tree_local): gevent's `local`
// and `spawn_tree_locals`. A value is made at its first use and destroyed when its greenlet has ended, or with the
// variable that it belongs to, whichever comes first.

#include <type_traits>
#include <utility>

#include "worker/greenlet/greenlet_locals.h"
#include "worker/greenlet/unique_function.h"

namespace grove {

namespace tasks::detail {

class local_base;
class local_values;

/// One value; in the list of its greenlet or tree, and in that of its variable.
class local_value {
 public:
  local_value(local_values& holder, local_base& variable) noexcept;
  local_value(const local_value&) = delete;
  local_value& operator=(const local_value&) = delete;
  virtual ~local_value() { unlink(); }
  /// Nobody finds it any more while its destructor runs.
  void destroy() noexcept {
    unlink();
    delete this;
  }

 private:
  friend class local_base;
  friend class local_values;
  void unlink() noexcept;
  bool linked_ = true;
  local_values& holder_;
  local_base& variable_;
  local_value* next_in_holder_;
  local_value* previous_in_holder_ = nullptr;
  local_value* next_in_variable_;
  local_value* previous_in_variable_ = nullptr;
};

/// The values of one greenlet or tree.
class local_values final : public greenlet_values {
 public:
  /// Also destroys what destructors of values make.
  ~local_values() override;

  [[nodiscard]] local_value* find(const local_base& variable) const noexcept;

  /// Those of the calling greenlet; null if it has none and they are not to be made.
  [[nodiscard]] static local_values* of_greenlet(bool make);
  /// Those of its tree. Greenlets that were not spawned have a tree of their own each.
  [[nodiscard]] static local_values* of_tree(bool make);

 private:
  friend class local_value;
  local_value* first_ = nullptr;
};

/// A variable.
class local_base {
 public:
  local_base(const local_base&) = delete;
  local_base& operator=(const local_base&) = delete;

 protected:
  local_base() = default;
  ~local_base();

 private:
  friend class local_value;
  local_value* first_ = nullptr;
};

template <typename T, local_values* (*Holder)(bool)>
class local_variable : private local_base {
 public:
  /// Values begin as T().
  local_variable() requires std::is_default_constructible_v<T> : make_([] { return T(); }) {}
  explicit local_variable(unique_function<T()> make) : make_(std::move(make)) {}

  /// The caller's value; made, if there is none.
  [[nodiscard]] T& get() {
    if (T* has = find()) return *has;
    return (new held(*Holder(true), *this, make_()))->value;
  }
  [[nodiscard]] T& operator*() { return get(); }
  [[nodiscard]] T* operator->() { return &get(); }
  /// Null if there is none.
  [[nodiscard]] T* find() const noexcept {
    local_value* has = find_value();
    return has != nullptr ? &static_cast<held*>(has)->value : nullptr;
  }
  /// Destroys the caller's value.
  void reset() noexcept {
    if (local_value* has = find_value()) has->destroy();
  }

 private:
  struct held final : local_value {
    held(local_values& holder, local_base& variable, T made) : local_value(holder, variable), value(std::move(made)) {}
    T value;
  };
  local_value* find_value() const noexcept {
    const local_values* all = Holder(false);
    return all != nullptr ? all->find(*this) : nullptr;
  }
  unique_function<T()> make_;
};

}  // namespace tasks::detail

/// A variable with a value for each greenlet: spawned, raw, main, or the hub's.
/// Affinity: one thread; a thread_local one serves all threads.
template <typename T>
using local = tasks::detail::local_variable<T, &tasks::detail::local_values::of_greenlet>;

/// A variable with a value for each tree of spawned greenlets: the children of a greenlet share its value.
/// Affinity: as local. A destructor of a value must not wait.
template <typename T>
using tree_local = tasks::detail::local_variable<T, &tasks::detail::local_values::of_tree>;

}  // namespace grove
