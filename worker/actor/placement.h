// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/process/address_owner.h"

namespace grove {

/// The map from the hash of an address to its owner.
///
/// What a worker owns it owns until its process has ended: only then the supervisor gives it to others (server/partition_table.h).
/// So a worker that finds itself the owner need not look again before it activates the actor, nor while the actor is active.
/// Affinity: the worker's hub thread. It never switches.
class placement {
 public:
  placement() = default;
  placement(const placement&) = delete;
  placement& operator=(const placement&) = delete;
  virtual ~placement() = default;

  /// The owner of the address with this hash, at this moment.
  [[nodiscard]] virtual address_owner of(std::uint64_t hash) const noexcept = 0;
};

}  // namespace grove
