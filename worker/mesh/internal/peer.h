// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/process/shared_segment.h"
#include "worker/actor/message.h"
#include "worker/mesh/internal/lane.h"
#include "worker/mesh/internal/pending_calls.h"
#include "worker/mesh/ring.h"

namespace grove::meshes::detail {

/// A call that another worker sent and this one has.
struct call_at_work {
  message* call = nullptr;
  std::uint64_t items_bytes = 0;  ///< Of a stream: written so far,
  std::uint64_t progress = 0;     ///< and known to have reached the client.
};

/// Another worker, as a mesh sees it.
struct peer {
  std::uint32_t slot = 0;
  worker_slot* shared = nullptr;
  std::uint32_t generation = 0;  ///< Of its process, as last observed.
  worker_state state = worker_state::down;
  bool lost = false;              ///< It is dead; what it left is being read.
  std::uint32_t woken_sleep = 0;  ///< The value of its `asleep` for which it has been woken up.
  std::uint64_t faults = 0;
  lane out;
  ring_reader in;
  std::vector<call_at_work> calls;  ///< By the index in their number.

  /// The calls' origin_session: they are of this process and of no other.
  [[nodiscard]] std::uint64_t session() const noexcept { return std::uint64_t{generation} << 16U | slot; }

  /// The entry of a call that this process sent, by its number; null when there is none.
  [[nodiscard]] call_at_work* find(std::uint64_t number) noexcept {
    const std::uint32_t index = index_of(number);
    if (index >= calls.size() || calls[index].call == nullptr || calls[index].call->origin_id != number) {
      return nullptr;
    }
    return &calls[index];
  }
};

}  // namespace grove::meshes::detail
