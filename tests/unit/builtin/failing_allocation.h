// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace grove::test {

/// While it exists, the allocation that is the `number`th, from 1 on, of those that have at least `bytes_min` bytes
/// throws std::bad_alloc. The program's operator new is replaced for that.
/// Affinity: one at a time, and no other thread allocates as much.
class failing_allocation {
 public:
  explicit failing_allocation(std::size_t number, std::size_t bytes_min = 0) noexcept;
  ~failing_allocation();
  failing_allocation(const failing_allocation&) = delete;
  failing_allocation& operator=(const failing_allocation&) = delete;

  /// Whether there have been so many, so that it has failed.
  [[nodiscard]] bool failed() const noexcept;
};

}  // namespace grove::test
