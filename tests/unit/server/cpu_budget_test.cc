// SPDX-License-Identifier: Apache-2.0
#include "server/cpu_budget.h"

#include <gtest/gtest.h>

#include <map>

namespace grove::server {
namespace {

std::optional<double> quota_of(std::map<std::string, std::string> files) {
  return cpu_quota([&files](const std::string& path) -> std::optional<std::string> {
    const auto found = files.find(path);
    return found == files.end() ? std::nullopt : std::optional{found->second};
  });
}

TEST(cpu_budget, reads_the_quota_of_version_2) {
  EXPECT_EQ(parse_cpu_max("150000 100000\n"), 1.5);
  EXPECT_EQ(parse_cpu_max("max 100000\n"), std::nullopt);
  EXPECT_EQ(parse_cpu_max(""), std::nullopt);
  EXPECT_EQ(parse_cpu_max("nonsense"), std::nullopt);
  EXPECT_EQ(parse_cpu_max("100000 0"), std::nullopt);
}

TEST(cpu_budget, reads_the_quota_of_version_1) {
  EXPECT_EQ(parse_cfs("200000\n", "100000\n"), 2.0);
  EXPECT_EQ(parse_cfs("-1\n", "100000\n"), std::nullopt);
}

TEST(cpu_budget, the_tightest_level_of_version_2_counts) {
  EXPECT_EQ(quota_of({{"/proc/self/cgroup", "0::/system.slice/grove.service\n"},
                      {"/sys/fs/cgroup/system.slice/cpu.max", "100000 100000\n"},
                      {"/sys/fs/cgroup/system.slice/grove.service/cpu.max", "400000 100000\n"}}),
            1.0);
}

TEST(cpu_budget, a_container_whose_path_is_the_hosts_finds_its_quota_at_the_mount) {
  EXPECT_EQ(quota_of({{"/proc/self/cgroup", "0::/../../docker/abc\n"}, {"/sys/fs/cgroup/cpu.max", "50000 100000\n"}}),
            0.5);
  EXPECT_EQ(quota_of({{"/proc/self/cgroup", "4:memory:/docker/abc\n3:cpuacct,cpu:/docker/abc\n"},
                      {"/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "300000\n"},
                      {"/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"}}),
            3.0);
}

TEST(cpu_budget, without_cgroups_there_is_no_quota) {
  EXPECT_EQ(quota_of({}), std::nullopt);
  EXPECT_EQ(quota_of({{"/proc/self/cgroup", "garbage\n\n::\n5:cpuset:/x\n"}}), std::nullopt);
}

TEST(cpu_budget, auto_is_a_worker_a_core_and_whole_cores_of_a_quota) {
  EXPECT_EQ((cpu_budget{{0, 1, 2, 3}, std::nullopt}.workers()), 4U);
  EXPECT_EQ((cpu_budget{{0, 1, 2, 3}, 2.5}.workers()), 2U);
  EXPECT_EQ((cpu_budget{{0, 1, 2, 3}, 0.5}.workers()), 1U);
  EXPECT_EQ((cpu_budget{{0, 1}, 8.0}.workers()), 2U);
}

TEST(cpu_budget, says_what_to_set_when_a_part_of_a_core_is_left_over) {
  const auto advice = [](std::optional<double> quota) { return (cpu_budget{{0, 1, 2, 3}, quota}.advice()); };
  EXPECT_EQ(
      advice(1.5),
      "a CPU quota of 1.5 cores pays for 1 worker and leaves 0.5 of a core unused: set it to a whole number (cpus in "
      "Compose and docker run, limits.cpu in Kubernetes, CPUQuota= in systemd), or --workers 2 to share what there is");
  EXPECT_TRUE(
      advice(2.75).starts_with("a CPU quota of 2.75 cores pays for 2 workers and leaves 0.75 of a core unused"));
  EXPECT_TRUE(
      advice(0.4).starts_with("a CPU quota of 0.4 cores stops the only worker, and all of its actors, for 60 %"));
  for (const std::optional<double> whole : {std::optional<double>{}, {1.0}, {3.0}, {2.1}, {4.0}, {4.5}, {64.0}})
    EXPECT_EQ(advice(whole), "") << whole.value_or(0);
}

TEST(cpu_budget, workers_are_pinned_to_the_cores_of_the_mask) {
  const cpu_budget budget{{2, 5, 7}, std::nullopt};
  EXPECT_EQ(budget.core_of(0, 3), 2U);
  EXPECT_EQ(budget.core_of(2, 3), 7U);
  EXPECT_EQ(budget.core_of(0, 1), 2U);
}

TEST(cpu_budget, more_workers_than_cores_and_workers_under_a_quota_float) {
  EXPECT_EQ((cpu_budget{{0, 1}, std::nullopt}.core_of(0, 3)), std::nullopt);
  EXPECT_EQ((cpu_budget{{0, 1, 2, 3}, 2.0}.core_of(0, 2)), std::nullopt);
}

TEST(cpu_budget, is_said_in_words) {
  EXPECT_EQ((cpu_budget{{0, 1}, std::nullopt}.to_string()), "2 cores");
  EXPECT_EQ((cpu_budget{{0}, std::nullopt}.to_string()), "1 core");
  EXPECT_EQ((cpu_budget{{0, 1, 2, 3}, 1.5}.to_string()), "1.5 of 4 cores by quota");
}

TEST(cpu_budget, this_machine_has_a_core) {
  const cpu_budget here = read_cpu_budget();
  EXPECT_FALSE(here.cores.empty());
  EXPECT_GE(here.workers(), 1U);
}

}  // namespace
}  // namespace grove::server
