// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>

#include "worker/greenlet/initialisers.h"

namespace grove::greenlets::detail {

/// The initialisers of statics that greenlets of a thread are in.
struct open_initialisers {
  struct entry {
    const void* guard = nullptr;
    greenlet* by = nullptr;
    initialiser_kind kind = initialiser_kind::variable;
    bool is_told = false;
  };
  /// More are not written down.
  std::array<entry, 32> entries;
  std::size_t count = 0;
#ifdef NDEBUG
  initialiser_waits policy = initialiser_waits::are_told;
#else
  initialiser_waits policy = initialiser_waits::are_refused;
#endif

  [[nodiscard]] entry* find(const void* guard) noexcept {
    for (std::size_t i = count; i-- > 0;) {
      if (entries[i].guard == guard) return &entries[i];
    }
    return nullptr;
  }
  /// The one that `by` has begun last.
  [[nodiscard]] entry* find_of(const greenlet& by) noexcept {
    for (std::size_t i = count; i-- > 0;) {
      if (entries[i].by == &by) return &entries[i];
    }
    return nullptr;
  }
};

}  // namespace grove::greenlets::detail
