// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

namespace grove {

/// Values of a greenlet's own, destroyed when it ends.
struct greenlet_locals {
  greenlet_locals() = default;
  greenlet_locals(const greenlet_locals&) = delete;
  greenlet_locals& operator=(const greenlet_locals&) = delete;
  ~greenlet_locals() { reset(); }
  void reset() noexcept {
    while (void* dropped = std::exchange(values, nullptr))  // its destructors may make new ones
      drop(dropped);
  }
  void* values = nullptr;
  void (*drop)(void* values) noexcept = nullptr;
};

}  // namespace grove
