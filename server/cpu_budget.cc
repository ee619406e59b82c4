// SPDX-License-Identifier: Apache-2.0
#include "server/cpu_budget.h"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <cmath>

#include "base/values.h"

namespace grove::server {
namespace {

std::optional<std::int64_t> number_in(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' '))
    text.remove_suffix(1);
  return parse_integer(text);
}

std::optional<double> ratio(std::string_view quota, std::string_view period) {
  const auto top = number_in(quota);
  const auto bottom = number_in(period);
  if (!top || !bottom || *top <= 0 || *bottom <= 0) return std::nullopt;
  return static_cast<double>(*top) / static_cast<double>(*bottom);
}

void tighten(std::optional<double>& quota, std::optional<double> other) {
  if (other && (!quota || *other < *quota)) quota = other;
}

/// Calls `visit` with the folder of `path` below `mount` and with all that are above it, the mount included. In a
/// container the path may be the host's; then only the mount itself exists, and is ours.
template <typename Visit>
void for_each_level(const std::string& mount, std::string path, Visit visit) {
  while (!path.empty() && path.back() == '/')
    path.pop_back();
  while (!path.empty()) {
    visit(mount + path);
    path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
  }
  visit(mount);
}

bool names_cpu(std::string_view controllers) {
  while (true) {
    const auto comma = controllers.find(',');
    if (controllers.substr(0, comma) == "cpu") return true;
    if (comma == std::string_view::npos) return false;
    controllers.remove_prefix(comma + 1);
  }
}

}  // namespace

std::uint32_t cpu_budget::workers() const noexcept {
  const auto available = static_cast<std::uint32_t>(cores.size());
  if (!quota || *quota >= static_cast<double>(available)) return std::max(available, 1U);
  return std::max(static_cast<std::uint32_t>(*quota), 1U);
}

std::optional<std::uint32_t> cpu_budget::core_of(std::uint32_t slot, std::uint32_t workers) const noexcept {
  if (workers > cores.size() || slot >= workers) return std::nullopt;
  if (quota && *quota < static_cast<double>(cores.size())) return std::nullopt;
  return cores[slot];
}

std::string cpu_budget::to_string() const {
  const std::string_view noun = cores.size() == 1 ? "core" : "cores";
  if (!quota || *quota >= static_cast<double>(cores.size())) return fmt::format("{} {}", cores.size(), noun);
  return fmt::format("{:.3g} of {} {} by quota", *quota, cores.size(), noun);
}

std::string cpu_budget::advice() const {
  constexpr std::string_view settings =
      "cpus in Compose and docker run, limits.cpu in Kubernetes, CPUQuota= in systemd";
  if (!quota || *quota >= static_cast<double>(cores.size())) return {};
  if (*quota < 1) {
    return fmt::format(
        "a CPU quota of {:.3g} cores stops the only worker, and all of its actors, for {:.0f} % of the time under "
        "load: "
        "set it to 1 or more ({})",
        *quota, (1 - *quota) * 100, settings);
  }
  const double left = *quota - std::floor(*quota);
  // The supervisor itself needs a little.
  if (left < 0.25) return {};
  return fmt::format(
      "a CPU quota of {:.3g} cores pays for {} and leaves {:.2g} of a core unused: set it to a whole number ({}), or "
      "--workers {} to share what there is",
      *quota, counted(workers(), "worker"), left, settings, workers() + 1);
}

std::optional<double> parse_cpu_max(std::string_view text) {
  const auto space = text.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  return ratio(text.substr(0, space), text.substr(space + 1));
}

std::optional<double> parse_cfs(std::string_view quota, std::string_view period) {
  return ratio(quota, period);
}

std::optional<double> cpu_quota(const file_reader& read) {
  std::optional<double> quota;
  std::string rest = read("/proc/self/cgroup").value_or("");
  while (!rest.empty()) {
    const auto end = std::min(rest.find('\n'), rest.size());
    const std::string line = rest.substr(0, end);
    rest.erase(0, end + 1);
    // hierarchy:controllers:path; v2 is the one with hierarchy 0 and no controllers.
    const auto first = line.find(':');
    const auto second = line.find(':', first == std::string::npos ? first : first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1);
    if (controllers.empty()) {
      for_each_level("/sys/fs/cgroup", path, [&](const std::string& folder) {
        if (const auto text = read(folder + "/cpu.max")) tighten(quota, parse_cpu_max(*text));
      });
    } else if (names_cpu(controllers)) {
      for_each_level("/sys/fs/cgroup/cpu", path, [&](const std::string& folder) {
        const auto top = read(folder + "/cpu.cfs_quota_us");
        const auto bottom = read(folder + "/cpu.cfs_period_us");
        if (top && bottom) tighten(quota, parse_cfs(*top, *bottom));
      });
    }
  }
  return quota;
}

cpu_budget read_cpu_budget() {
  cpu_budget budget;
  // The kernel refuses a mask smaller than its own; 8,192 is the most that it can be built for.
  constexpr std::size_t most_cores = 8'192;
  cpu_set_t* mask = CPU_ALLOC(most_cores);
  const std::size_t size = CPU_ALLOC_SIZE(most_cores);
  if (mask != nullptr && ::sched_getaffinity(0, size, mask) == 0) {
    for (std::uint32_t core = 0; core < most_cores; ++core) {
      if (CPU_ISSET_S(core, size, mask)) budget.cores.push_back(core);
    }
  }
  CPU_FREE(mask);
  if (budget.cores.empty()) budget.cores.push_back(0);
  budget.quota = cpu_quota(read_text_file);
  return budget;
}

}  // namespace grove::server
