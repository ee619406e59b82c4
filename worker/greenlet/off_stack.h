// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "worker/greenlet/greenlet.h"

namespace grove {

/// A local variable that others may use while the greenlet that has it is suspended: on its stack, and on the heap if
/// the greenlet is sliced, whose stack belongs to others then.
template <typename T>
class off_stack {
 public:
  template <typename... Args>
  explicit off_stack(Args&&... args)
      : object_(greenlet::current().sliced()
                    ? new T(std::forward<Args>(args)...)
                    : std::construct_at(reinterpret_cast<T*>(room_), std::forward<Args>(args)...)) {}
  off_stack(const off_stack&) = delete;
  off_stack& operator=(const off_stack&) = delete;
  ~off_stack() {
    if (object_ == reinterpret_cast<T*>(room_))
      std::destroy_at(object_);
    else
      delete object_;
  }

  [[nodiscard]] T& operator*() const noexcept { return *object_; }
  [[nodiscard]] T* operator->() const noexcept { return object_; }

 private:
  T* object_;
  alignas(T) std::byte room_[sizeof(T)];
};

}  // namespace grove
