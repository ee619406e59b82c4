// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/text_file.h"

namespace grove::server {

/// What this process may use of the machine.
struct cpu_budget {
  std::vector<std::uint32_t> cores;  ///< The affinity mask: never empty.
  std::optional<double> quota;       ///< The tightest CPU quota of our cgroups, in cores.

  /// How many workers `auto` means: a worker per core, and no more than the quota pays for in full (a fraction of a
  /// core would stop a worker, and all of its actors, for the rest of every scheduling period). At least one.
  [[nodiscard]] std::uint32_t workers() const noexcept;

  /// The core that the worker of `slot` is pinned to, or empty when it floats: with more workers than cores pinning
  /// would stack them, and under a quota every container on the machine would pin to the same first cores.
  [[nodiscard]] std::optional<std::uint32_t> core_of(std::uint32_t slot, std::uint32_t workers) const noexcept;

  /// What to set so that nothing of a quota is left over or, below one core, nothing is stopped; empty when all is well.
  [[nodiscard]] std::string advice() const;

  /// "2 of 8 cores by quota", "4 cores".
  [[nodiscard]] std::string to_string() const;
};

/// cgroup v2's `cpu.max`: "150000 100000" is 1.5 cores; "max 100000" is no quota.
[[nodiscard]] std::optional<double> parse_cpu_max(std::string_view text);

/// cgroup v1's `cpu.cfs_quota_us` and `cpu.cfs_period_us`; a quota of -1 is none.
[[nodiscard]] std::optional<double> parse_cfs(std::string_view quota, std::string_view period);

/// The tightest quota of our cgroup and those above it, v2 and v1; empty when there is none.
[[nodiscard]] std::optional<double> cpu_quota(const file_reader& read);

/// The border: the affinity mask of this process and the files of its cgroups.
[[nodiscard]] cpu_budget read_cpu_budget();

}  // namespace grove::server
