// SPDX-License-Identifier: Apache-2.0
#pragma once

// Tells workers that stop together when all of them may go.
//
// Problem: a worker that has nothing to do may still be sent something: by one that is busy, by one to which a busy one
// sends something, or by one that has written a call and has not published it yet. What was begun would end with the
// worker that it needs.
//
// How: detection of termination by counting messages (F. Mattern, "Algorithms for distributed termination detection",
// 1987), where the positions of the rings are the counters. A worker that rests writes down how much was sent to it
// altogether until then. `reached` reads first what all have written down, and then what was sent to each. If both agree
// for all, then all of them rested at the moment between, and nothing was on its way.
//
// Invariants:
// - what a worker wrote down need not be taken back: it stops agreeing by itself when anything is published to that
//   worker, and until the worker reads that, it does nothing;
// - once it is reached it stays so, since whoever rests begins nothing by itself. So nobody waits for one that goes;
// - a dead worker is not waited for. Who waits in vain, for one that does not get done, has a limit of its own.

#include <cstdint>

#include "base/process/shared_segment.h"
#include "worker/mesh/worker_wakes.h"

namespace grove {

/// One worker's part in it. Affinity: the hub thread.
class drain_agreement {
 public:
  /// Takes back what the slot's last process wrote down.
  /// Lifetime: `segment` and `wakes` are borrowed.
  drain_agreement(const shared_segment& segment, std::uint32_t slot, worker_wakes& wakes);

  /// Says that this worker takes nothing new, has done all that was sent to it, and has published all that it wrote.
  /// Others that wait for it are woken up. To be said again after each time that it was otherwise.
  void rest();

  /// Whether all that stop together with this worker rest, this one included. A worker that stops alone waits for no
  /// other: those that stop with it are those whose state in the table is the same, which holds as well for workers
  /// whose supervisor died, and with it their table's truth.
  [[nodiscard]] bool reached() const noexcept;

 private:
  [[nodiscard]] bool stops_with_us(std::uint32_t slot) const noexcept;

  const shared_segment& segment_;
  std::uint32_t slot_;
  worker_wakes& wakes_;
};

}  // namespace grove
