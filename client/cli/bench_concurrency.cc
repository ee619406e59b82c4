// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <ostream>

#include "base/exit_codes.h"
#include "client/cli/internal/bench_command.h"
#include "client/cli/output.h"
#include "client/cli/progress.h"
#include "client/cli/table.h"

namespace grove::cli::detail {
namespace {

constexpr unsigned sleep_milliseconds = 100;

struct concurrency_step {
  std::uint32_t actors = 0;
  double seconds = 0;
  std::uint64_t failed = 0;
};

/// `actors` actors of worker 0 sleep at the same time. Nothing: it was interrupted.
[[nodiscard]] std::optional<concurrency_step> sleep_together(std::uint32_t actors, const bench_arguments& arguments,
                                                             const server_info& info, const environment& where) {
  load_options load;
  load.server = connection_of(arguments.common, where).servers.front();
  load.type = "grove.Echo";
  load.method = "Sleep";
  load.payload = {0x08, static_cast<char>(sleep_milliseconds)};
  load.depth = std::min(actors, info.unfinished_calls_max);
  load.connections = (actors + load.depth - 1) / load.depth;
  load.keys = actors;
  load.order = key_order::each_once;
  load.workers_used = 1;
  load.prefix = prefix_or_fresh(arguments.prefix);
  load.timeout = request_timeout(arguments.common, info);
  progress_bar bar{where, fmt::format("{} actors", grouped(actors))};
  const load_result result = run_shown(load, info, bar);
  if (result.interrupted) return std::nullopt;
  if (result.acknowledged == 0) {
    const std::string why = result.errors.empty() ? "no answer" : result.errors.front().example;
    throw command_error{exit_codes::call_failed, "grove.Echo Sleep failed: " + why};
  }
  return concurrency_step{actors, result.seconds, actors - result.acknowledged};
}

}  // namespace

void run_concurrency(const bench_arguments& arguments, const server_info& info, const environment& where) {
  static_assert(sleep_milliseconds < 128, "its varint is one byte");
  std::vector<concurrency_step> steps;
  constexpr std::array<std::uint32_t, 4> numbers{1, 100, 1'000, 10'000};
  for (const std::uint32_t actors : numbers) {
    const std::optional<concurrency_step> done = sleep_together(actors, arguments, info, where);
    if (!done) break;
    steps.push_back(*done);
  }
  if (steps.empty()) throw command_error{interrupted, "interrupted before anything was measured"};
  const double one = steps.front().seconds;
  if (arguments.common.json) {
    std::string text = fmt::format(R"({{"scenario":"concurrency","sleep_ms":{},"steps":[)", sleep_milliseconds);
    for (std::size_t i = 0; i < steps.size(); ++i) {
      text += fmt::format(R"({}{{"actors":{},"seconds":{:.6f},"times_one":{:.3f},"failed":{}}})", i == 0 ? "" : ",",
                          steps[i].actors, steps[i].seconds, steps[i].seconds / one, steps[i].failed);
    }
    cli::print_json(text + "]}", arguments.common, where);
  } else {
    where.out << fmt::format(
        "Concurrency: actors of one worker that all wait {} ms inside their handlers at the same time.\n"
        "One after the other, 10,000 of them would take {:.0f} s.\n\n",
        sleep_milliseconds, 10'000 * sleep_milliseconds / 1e3);
    table rows{{{"ACTORS", align::right},
                {"TIME", align::right},
                {"AGAINST ONE", align::right},
                {"FAILED", align::right},
                {""}}};
    const double longest =
        std::max_element(steps.begin(), steps.end(), [](const concurrency_step& a, const concurrency_step& b) {
          return a.seconds < b.seconds;
        })->seconds;
    for (const concurrency_step& each : steps) {
      rows.add({grouped(each.actors), readable_time(each.seconds * 1e9), fmt::format("{:.2f} x", each.seconds / one),
                grouped(each.failed), bar(each.seconds / longest, 30)});
    }
    rows.print(where.out, where.colour);
  }
  for (const concurrency_step& each : steps) {
    if (each.failed != 0)
      throw command_error{exit_codes::call_failed, fmt::format("{} of {} calls failed", each.failed, each.actors)};
  }
  if (steps.size() < numbers.size()) throw command_error{interrupted, ""};
}

}  // namespace grove::cli::detail
