// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/process/shared_segment.h"
#include "worker/actor/placement.h"

namespace grove {

/// The placement of one machine: the partition table that the supervisor writes into shared memory.
class shared_placement final : public placement {
 public:
  /// Lifetime: `segment` outlives it.
  explicit shared_placement(const shared_segment& segment) noexcept : segment_{segment} {}

  [[nodiscard]] address_owner of(std::uint64_t hash) const noexcept override { return segment_.owner_of(hash); }

 private:
  const shared_segment& segment_;
};

}  // namespace grove
