// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which worker owns which partition, as the supervisor has it.
//
// Problem: the actors of a worker that cannot be started have to live somewhere; and no actor may ever live in two
// workers, nor lose its state while its worker is well.
//
// Invariants:
// - a partition changes hands only while its owner has no process: nobody is active there, and what it had in memory is
//   gone anyway. So nothing has to be agreed upon with a worker that lives, and one that owns a partition owns it until
//   its process has ended;
// - each change raises the partition's epoch, so that what was sent by the table before is told from what is sent by the
//   present one.
//
// Hence a worker that comes back finds its partitions with others, and they stay there until those end in turn: then they
// go home. To move them earlier would lose the states of their actors, which are in the memory of the worker that runs them.

#include <cstdint>
#include <vector>

#include "base/process/shared_segment.h"

namespace grove::server {

/// The only writer of the segment's partition table. Affinity: the supervisor's thread.
class partition_table {
 public:
  /// Every partition is at home, with the slot that it was dealt to first. Lifetime: `segment` outlives it.
  explicit partition_table(shared_segment& segment);

  /// How many partitions the slot owns.
  [[nodiscard]] std::uint32_t owned_by(std::uint32_t slot) const { return owned_.at(slot); }
  /// How many of those that are at home in the slot others own.
  [[nodiscard]] std::uint32_t away_from(std::uint32_t slot) const { return away_.at(slot); }

  /// Deals out what `from`, which has no process, owns: each partition to its home, if that is among `takers`, else to
  /// whoever of them has fewest. Returns how many there were; none is dealt when there are no takers.
  std::uint32_t deal_out(std::uint32_t from, const std::vector<std::uint32_t>& takers);

  /// Returns what `from`, which has no process, has of those among `homes` to them. Returns how many there were.
  std::uint32_t send_home(std::uint32_t from, const std::vector<std::uint32_t>& homes);

 private:
  void check_has_no_process(std::uint32_t slot) const;
  void move(std::uint32_t partition, std::uint32_t to);

  shared_segment& segment_;
  std::vector<std::uint32_t> owned_;
  std::vector<std::uint32_t> away_;
};

}  // namespace grove::server
