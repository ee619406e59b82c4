// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the files with the hub's verbs share.

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/conformance/interpreter/interpreter.h"
#include "worker/tasks/async_result.h"
#include "worker/tasks/task.h"

namespace grove::conformance {

/// An object of the hub, in a variable.
template <typename T>
class held_object final : public object {
 public:
  template <typename... Args>
  explicit held_object(const std::string& label, Args&&... args) : object(label), held(std::forward<Args>(args)...) {}
  T held;
};

template <typename T, typename... Args>
value make_object(const call& with, Args&&... args) {
  return {std::shared_ptr<object>(std::make_shared<held_object<T>>(with.label(), std::forward<Args>(args)...))};
}

/// The object of a word, which the caller keeps meanwhile; null if it is of another type.
template <typename T>
T* object_if(const value& held) {
  const auto* pointer = held.get_if<std::shared_ptr<object>>();
  auto* of = pointer == nullptr ? nullptr : dynamic_cast<held_object<T>*>(pointer->get());
  return of == nullptr ? nullptr : &of->held;
}

/// A word's object together with what keeps it.
template <typename T>
class object_of {
 public:
  explicit object_of(const call& with, std::size_t place = 0)
      : kept_(with.argument(place)), held_(object_if<T>(kept_)) {
    if (held_ == nullptr) with.fault("not such an object");
  }
  T* operator->() const noexcept { return held_; }
  T& operator*() const noexcept { return *held_; }

 private:
  value kept_;
  T* held_;
};

using task = spawned<value>;
using result = async_result<value>;

/// The time of the option `timeout`, in seconds of the manual clock.
[[nodiscard]] std::optional<steady_time> until_of(const call& with);
/// `wait=false`.
[[nodiscard]] inline bool waits(const call& with) {
  const std::optional<value> given = with.option("wait");
  return !given || given->truth();
}

/// What a task runs, from the word at `first` on: a body and its arguments.
[[nodiscard]] unique_function<value()> body_of(const call& with, std::size_t first, const std::string& who);
/// The body at `place` as a function of one item.
[[nodiscard]] std::function<value(const value&)> function_of(const call& with, std::size_t place);
[[nodiscard]] value task_value(const call& with, task spawned_task);
[[nodiscard]] std::vector<task_ptr> tasks_of(const packed& words);
/// The words for those tasks, in their order.
[[nodiscard]] value labels_of(const std::vector<task_ptr>& tasks, const packed& words);

void add_task_verbs(world& to);
void add_sync_verbs(world& to);
void add_pool_verbs(world& to);

}  // namespace grove::conformance
