// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace grove::test {

/// What a schedule came to.
struct schedule_result {
  std::uint64_t seed = 0;
  std::string failure;  ///< Empty: every promise was kept.
  std::uint64_t asked = 0;
  std::uint64_t answered = 0;
  std::uint64_t cut = 0;  ///< Of those asked, whose connection ended before their answer.
  std::uint64_t told = 0;
  std::uint64_t tells_lost = 0;  ///< That were counted.
  std::uint64_t deaths = 0;
  std::uint64_t moved = 0;    ///< Partitions that have changed hands.
  std::uint64_t drained = 0;  ///< 1: it ended by a drain.
  std::uint64_t trace = 0;    ///< A hash of all that happened, in its order.
};

/// Runs a server, its clients and their faults as the seed says, until all is quiet again.
[[nodiscard]] schedule_result run_schedule(std::uint64_t seed, bool prints_log = false);

}  // namespace grove::test
