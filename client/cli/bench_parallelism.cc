// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <optional>
#include <ostream>
#include <vector>

#include "base/exit_codes.h"
#include "client/cli/internal/bench_command.h"
#include "client/cli/output.h"
#include "client/cli/progress.h"
#include "client/cli/table.h"

namespace grove::cli::detail {
namespace {

struct parallelism_step {
  std::uint32_t workers = 0;
  double rounds_per_second = 0;
};

/// Actors of the first `workers` workers compute, each worker with always something to do. Nothing: it was interrupted.
[[nodiscard]] std::optional<parallelism_step> compute_on(std::uint32_t workers, const bench_arguments& arguments,
                                                         const server_info& info, const environment& where) {
  load_options load;
  load.server = connection_of(arguments.common, where).servers.front();
  load.type = "grove.Echo";
  load.method = "Spin";
  load.payload = {0x08, static_cast<char>(0xe8), 0x07};  // 1,000 us
  load.connections = 2 * workers;
  load.depth = 4;
  load.keys = 64 * workers;
  load.workers_used = workers;
  load.prefix = prefix_or_fresh(arguments.prefix);
  load.duration = arguments.duration.count() == 0 ? std::chrono::seconds{2} : arguments.duration;
  load.timeout = request_timeout(arguments.common, info);
  progress_bar bar{where, fmt::format("{} of {} workers", workers, info.workers)};
  const load_result result = run_shown(load, info, bar);
  if (result.interrupted) return std::nullopt;
  if (result.acknowledged == 0 || result.failed() != 0) {
    const std::string why = result.errors.empty() ? "no answer" : result.errors.front().example;
    throw command_error{exit_codes::call_failed, "grove.Echo Spin failed: " + why};
  }
  return parallelism_step{workers, static_cast<double>(result.value_sum) / result.seconds};
}

void print(const std::vector<parallelism_step>& steps, const server_info& info, const common_options& options,
           const environment& where) {
  const double one = steps.front().rounds_per_second;
  if (options.json) {
    std::string text = R"({"scenario":"parallelism","steps":[)";
    for (const parallelism_step& each : steps) {
      text +=
          fmt::format(R"({}{{"workers":{},"rounds_per_second":{:.0f},"times_one":{:.3f}}})",
                      each.workers == 1 ? "" : ",", each.workers, each.rounds_per_second, each.rounds_per_second / one);
    }
    cli::print_json(text + "]}", options, where);
    return;
  }
  where.out << "Parallelism: handlers that compute, on actors of 1, then 2, ... workers; the work done in a "
               "second.\n\n";
  table rows{{{"WORKERS", align::right}, {"ROUNDS/S", align::right}, {"AGAINST ONE", align::right}, {""}}};
  for (const parallelism_step& each : steps) {
    rows.add({std::to_string(each.workers), grouped(static_cast<std::uint64_t>(each.rounds_per_second)),
              fmt::format("{:.2f} x", each.rounds_per_second / one),
              bar(each.rounds_per_second / one / info.workers, 30)});
  }
  rows.print(where.out, where.colour);
}

}  // namespace

void run_parallelism(const bench_arguments& arguments, const server_info& info, const environment& where) {
  std::vector<parallelism_step> steps;
  for (std::uint32_t workers = 1; workers <= info.workers; ++workers) {
    const std::optional<parallelism_step> done = compute_on(workers, arguments, info, where);
    if (!done) break;
    steps.push_back(*done);
  }
  if (steps.empty()) throw command_error{interrupted, "interrupted before anything was measured"};
  print(steps, info, arguments.common, where);
  if (steps.size() < info.workers) throw command_error{interrupted, ""};
}

}  // namespace grove::cli::detail
