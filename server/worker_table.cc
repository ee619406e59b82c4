// SPDX-License-Identifier: Apache-2.0
#include "server/worker_table.h"

#include <algorithm>

namespace grove::server {

worker_table::worker_table(std::uint32_t workers, const restart_limits& restarts, const hang_limits& hangs,
                           random_source& random) {
  records_.reserve(workers);
  for (std::uint32_t slot = 0; slot < workers; ++slot)
    records_.emplace_back(restarts, hangs, random);
}

std::uint32_t worker_table::count(worker_state state) const noexcept {
  return static_cast<std::uint32_t>(std::ranges::count(records_, state, &worker_record::state));
}

std::uint32_t worker_table::cut_drains() const noexcept {
  return static_cast<std::uint32_t>(std::ranges::count(records_, true, &worker_record::drain_cut));
}

std::uint32_t worker_table::processes() const noexcept {
  return static_cast<std::uint32_t>(
      std::ranges::count_if(records_, [](const worker_record& record) { return record.pid != 0; }));
}

bool worker_table::all_abandoned() const noexcept {
  return std::ranges::all_of(records_, [](const worker_record& record) { return record.abandoned; });
}

bool worker_table::somebody_serves(steady_time now, std::chrono::milliseconds window) const noexcept {
  return std::ranges::any_of(records_, [&](const worker_record& record) {
    return record.state == worker_state::up || (record.last_served_at && now - *record.last_served_at <= window);
  });
}

std::optional<steady_time> worker_table::next_restart() const noexcept {
  std::optional<steady_time> due;
  for (const worker_record& record : records_) {
    if (record.restart_at && (!due || *record.restart_at < *due)) due = record.restart_at;
  }
  return due;
}

}  // namespace grove::server
