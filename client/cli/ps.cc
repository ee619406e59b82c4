// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <memory>
#include <ostream>

#include "base/text.h"
#include "client/cli/commands.h"
#include "client/cli/json.h"
#include "client/cli/options.h"
#include "client/cli/output.h"
#include "client/cli/system_calls.h"
#include "client/cli/table.h"
#include "grove/v1/system.pb.h"

namespace grove::cli {
namespace {

[[nodiscard]] std::string state_of(v1::WorkerState state) {
  switch (state) {
    case v1::WORKER_STATE_DOWN:
      return "down";
    case v1::WORKER_STATE_STARTING:
      return "starting";
    case v1::WORKER_STATE_UP:
      return "up";
    case v1::WORKER_STATE_DRAINING:
      return "draining";
    default:
      return "unknown";
  }
}

/// "42s", "3m07s", "5h02m", "12d04h".
[[nodiscard]] std::string uptime_of(std::uint64_t milliseconds) {
  const std::uint64_t seconds = milliseconds / 1'000;
  if (seconds < 60) return fmt::format("{}s", seconds);
  if (seconds < 3'600) return fmt::format("{}m{:02}s", seconds / 60, seconds % 60);
  if (seconds < 86'400) return fmt::format("{}h{:02}m", seconds / 3'600, seconds / 60 % 60);
  return fmt::format("{}d{:02}h", seconds / 86'400, seconds / 3'600 % 24);
}

void run_ps(const common_options& options, const environment& where) {
  client server{connection_of(options, where)};
  reach(server, options, where);
  const auto answer =
      ask_system<v1::SystemWorkersResponse>(server, "Workers", v1::SystemWorkersRequest{}, call_options_of(options));
  if (options.json) {
    print_json(write_json(answer), options, where);
    return;
  }
  table rows{{{"WORKER", align::right},
              {"PID", align::right},
              {"STATE"},
              {"CPU", align::right},
              {"UPTIME", align::right},
              {"RESTARTS", align::right},
              {"ACTORS", align::right},
              {"CONNECTIONS", align::right},
              {"TURNS", align::right},
              {"FAILED", align::right},
              {"MESH", align::right},
              {"LAST EXIT"}}};
  for (const v1::Worker& worker : answer.workers()) {
    rows.add({std::to_string(worker.slot()), worker.pid() == 0 ? "-" : std::to_string(worker.pid()),
              state_of(worker.state()), worker.has_cpu() ? std::to_string(worker.cpu()) : "-",
              uptime_of(worker.uptime_ms()), std::to_string(worker.restarts()), std::to_string(worker.actors()),
              std::to_string(worker.connections()), std::to_string(worker.turns()),
              std::to_string(worker.failed_turns()), std::to_string(worker.mesh_messages()),
              worker.last_exit().empty() ? "-" : worker.last_exit()});
  }
  rows.print(where.out, where.colour);
  where.out << "server " << printable(answer.version()) << ", up " << uptime_of(answer.uptime_ms())
            << ", answered by worker " << answer.answered_by() << '\n';
}

}  // namespace

void add_ps(CLI::App& app, const environment& where) {
  auto* command = add_command(app, "ps", "List the workers of the server");
  auto options = std::make_shared<common_options>();
  add_common_options(*command, *options, prints::table);
  command->footer("Example:\n  grove ps --json");
  command->callback([options, &where] { run_ps(*options, where); });
}

}  // namespace grove::cli
