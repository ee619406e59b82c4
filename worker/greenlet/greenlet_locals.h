// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>

namespace grove {

/// What the layer above makes of a greenlet's values; its destructor destroys them.
class greenlet_values {
 public:
  greenlet_values() = default;
  greenlet_values(const greenlet_values&) = delete;
  greenlet_values& operator=(const greenlet_values&) = delete;
  virtual ~greenlet_values() = default;
};

/// Values of a greenlet's own, destroyed when it ends.
struct greenlet_locals {
  greenlet_locals() = default;
  greenlet_locals(const greenlet_locals&) = delete;
  greenlet_locals& operator=(const greenlet_locals&) = delete;
  ~greenlet_locals() { reset(); }
  void reset() noexcept {
    while (const auto dropped = std::exchange(values, nullptr)) {  // its destructors may make new ones
    }
  }
  std::unique_ptr<greenlet_values> values;
};

}  // namespace grove
