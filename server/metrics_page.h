// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/clock.h"
#include "base/process/shared_segment.h"
#include "server/supervisor.h"

namespace grove::server {

/// Prometheus' text format: the metrics of all workers from shared memory, a label `worker` telling them apart, and
/// what the supervisor knows of them.
[[nodiscard]] std::string metrics_page(const shared_segment& segment, const supervisor& judge, steady_time now,
                                       std::uint64_t own_log_lines_dropped);

}  // namespace grove::server
