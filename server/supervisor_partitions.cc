// SPDX-License-Identifier: Apache-2.0
// Who serves the partitions of a slot that has no process.
#include <fmt/format.h>

#include <vector>

#include "base/values.h"
#include "server/supervisor.h"

namespace grove::server {

/// The slots that serve.
std::vector<std::uint32_t> supervisor::serving() const {
  std::vector<std::uint32_t> slots;
  for (std::uint32_t slot = 0; slot < workers_.size(); ++slot) {
    if (workers_[slot].state == worker_state::up) slots.push_back(slot);
  }
  return slots;
}

/// Whether a slot has no process and will have none that serves for so long that its actors had better live elsewhere.
/// Not so one whose last process had served, however long its successor has to wait: what ended it comes back with its
/// actors, and would end those who took them.
bool supervisor::is_gone(std::uint32_t slot) const {
  const worker_record& record = workers_[slot];
  if (record.pid != 0 || record.state != worker_state::down) return false;
  if (record.abandoned) return true;
  return record.failed_to_start && record.restart_at && record.unserved_since &&
         *record.restart_at - *record.unserved_since > partitions_kept_for;
}

/// Deals out the partitions of all slots that are gone, as soon as somebody is there to take them.
void supervisor::deal_out_partitions() {
  if (phase_ != phase::serving) return;
  for (std::uint32_t slot = 0; slot < workers_.size(); ++slot) {
    if (partitions_.owned_by(slot) == 0 || !is_gone(slot)) continue;
    const std::vector<std::uint32_t> takers = serving();
    const std::uint32_t moved = partitions_.deal_out(slot, takers);
    if (moved == 0) return;
    parts_.host.poke_all();
    parts_.log->warn("worker {}: has no process; {} are dealt out to {}", slot, counted(moved, "partition"),
                     counted(takers.size(), "worker"));
  }
}

/// A process has ended, and its successor is not started yet: what it had of others may go home.
void supervisor::send_partitions_home(std::uint32_t slot) {
  const std::uint32_t moved = partitions_.send_home(slot, serving());
  if (moved == 0) return;
  parts_.host.poke_all();
  parts_.log->info("worker {}: {} that it had of others are with those again", slot, counted(moved, "partition"));
}

/// A worker serves that has come back to find its partitions with others.
void supervisor::tell_of_partitions_away(std::uint32_t slot) {
  const std::uint32_t away = partitions_.away_from(slot);
  if (away == 0) return;
  parts_.log->info("worker {}: {} of it stay with others until those end", slot, counted(away, "partition"));
}

/// For /readyz: whose partitions others serve.
std::string supervisor::partitions_text() const {
  std::string text;
  for (std::uint32_t slot = 0; slot < workers_.size(); ++slot) {
    const std::uint32_t away = partitions_.away_from(slot);
    if (away == 0) continue;
    if (workers_[slot].state == worker_state::up) {
      text += fmt::format("; others serve {} of worker {}", counted(away, "partition"), slot);
    } else {
      text += fmt::format("; worker {} {}, others serve its {}", slot,
                          workers_[slot].pid == 0 ? "has no process" : "does not serve", counted(away, "partition"));
    }
  }
  return text;
}

}  // namespace grove::server
