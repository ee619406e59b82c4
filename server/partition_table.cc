// SPDX-License-Identifier: Apache-2.0
#include "server/partition_table.h"

#include <algorithm>

#include "base/check.h"

namespace grove::server {
namespace {

bool has(const std::vector<std::uint32_t>& slots, std::uint32_t slot) {
  return std::ranges::find(slots, slot) != slots.end();
}

}  // namespace

partition_table::partition_table(shared_segment& segment)
    : segment_{segment}, owned_(segment.workers()), away_(segment.workers()) {
  for (std::uint32_t p = 0; p < segment.partitions(); ++p) {
    const std::uint32_t owner = segment.owner_of_partition(p).worker();
    ++owned_.at(owner);
    if (owner != segment.home_of_partition(p)) ++away_.at(segment.home_of_partition(p));
  }
}

std::uint32_t partition_table::deal_out(std::uint32_t from, const std::vector<std::uint32_t>& takers) {
  GROVE_CHECK(!has(takers, from), "a slot does not take what it gives away");
  check_has_no_process(from);
  if (takers.empty() || owned_.at(from) == 0) return 0;
  const std::uint32_t before = owned_[from];
  // First what has a home to go to: it counts when the rest is dealt out evenly.
  send_home(from, takers);
  for (std::uint32_t p = 0; p < segment_.partitions(); ++p) {
    if (segment_.owner_of_partition(p).worker() != from) continue;
    move(p, *std::ranges::min_element(takers, {}, [this](std::uint32_t slot) { return owned_.at(slot); }));
  }
  GROVE_CHECK(owned_[from] == 0, "a partition was left behind");
  return before;
}

std::uint32_t partition_table::send_home(std::uint32_t from, const std::vector<std::uint32_t>& homes) {
  GROVE_CHECK(!has(homes, from), "what is at home is not away");
  check_has_no_process(from);
  std::uint32_t sent = 0;
  for (std::uint32_t p = 0; p < segment_.partitions(); ++p) {
    const std::uint32_t home = segment_.home_of_partition(p);
    if (segment_.owner_of_partition(p).worker() != from || !has(homes, home)) continue;
    move(p, home);
    ++sent;
  }
  return sent;
}

void partition_table::check_has_no_process(std::uint32_t slot) const {
  GROVE_CHECK(segment_.slot(slot).pid.load(std::memory_order_relaxed) == 0, "a worker that lives keeps its partitions");
}

void partition_table::move(std::uint32_t partition, std::uint32_t to) {
  const std::uint32_t from = segment_.owner_of_partition(partition).worker();
  const std::uint32_t home = segment_.home_of_partition(partition);
  segment_.set_owner(partition, to);
  --owned_.at(from);
  ++owned_.at(to);
  if (from == home) ++away_.at(home);
  if (to == home) --away_.at(home);
}

}  // namespace grove::server
