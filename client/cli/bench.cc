// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <ostream>
#include <random>

#include "base/exit_codes.h"
#include "base/status.h"
#include "base/values.h"
#include "client/cli/commands.h"
#include "client/cli/described_type.h"
#include "client/cli/internal/bench_command.h"
#include "client/cli/json.h"
#include "client/cli/options.h"
#include "client/cli/progress.h"
#include "client/cli/table.h"
#include "grove/v1/builtin.pb.h"

namespace grove::cli {
namespace detail {

std::string prefix_or_fresh(const std::string& prefix) {
  if (!prefix.empty()) return prefix;
  std::random_device device;
  return fmt::format("bench-{:08x}-", device());
}

std::chrono::microseconds request_timeout(const common_options& options, const server_info& info) {
  if (info.call_time_max.count() != 0 && options.timeout > info.call_time_max) {
    throw wrong_usage(fmt::format("--timeout: {} is more than the server's limits.call-deadline-max, {}",
                                  duration_value(options.timeout), duration_value(info.call_time_max)));
  }
  return options.timeout;
}

load_result run_shown(const load_options& load, const server_info& info, progress_bar& bar) {
  try {
    return run_load(load, info, [&bar](const load_state& state) { bar.show(state); });
  } catch (const status_error& unreachable) {
    throw command_error{exit_codes::server_unreachable, status{unreachable.code(), unreachable.what()}.to_string()};
  }
}

std::optional<emptying_request> emptier_of(const load_options& load) {
  if (load.type == "grove.Counter" && load.method == "Add") return emptying_request{"Reset", ""};
  if (load.type == "grove.Map" && load.method == "Set") {
    v1::MapSetRequest set;
    if (!set.ParseFromString(load.payload)) return std::nullopt;
    v1::MapDeleteRequest remove;
    remove.set_name(set.name());
    return emptying_request{"Delete", remove.SerializeAsString()};
  }
  return std::nullopt;
}

}  // namespace detail

namespace {

using detail::bench_arguments;
using detail::bench_run;
using detail::verification;

[[nodiscard]] load_options load_of(const bench_arguments& given, const server_info& info, const environment& where) {
  load_options load;
  load.server = connection_of(given.common, where).servers.front();
  load.type = given.type;
  load.method = given.method.empty() ? "Add" : given.method;
  load.connections = given.connections;
  load.threads = given.threads;
  load.keys = given.keys;
  load.prefix = detail::prefix_or_fresh(given.prefix);
  load.requests = given.requests;
  load.rate = given.rate;
  load.depth = given.depth != 0 ? given.depth : given.rate > 0 ? info.unfinished_calls_max : 16;
  if (load.depth > info.unfinished_calls_max) {
    throw wrong_usage(fmt::format("--depth: {} is more than the server's limits.unfinished-calls-max, {}", load.depth,
                                  info.unfinished_calls_max));
  }
  load.duration = given.duration;
  if (given.requests == 0 && load.duration.count() == 0) load.duration = std::chrono::seconds{10};
  load.warmup = given.warmup;
  load.timeout = detail::request_timeout(given.common, info);
  return load;
}

/// The request's payload: from JSON, by the type's description; of the default method known without asking.
[[nodiscard]] std::string payload_of(const bench_arguments& given, const load_options& load, const server_info& info,
                                     client& server, const environment& where) {
  described_type type{server, given.type, call_options_of(given.common)};
  const auto& method = type.method(load.method);
  if (method.server_streaming())
    throw wrong_usage(load.method + " is a streaming method; bench needs one that answers once");
  const auto message = type.make(*method.input_type());
  const bool adds = given.type == "grove.Counter" && load.method == "Add" && given.json.empty();
  const status fits = read_json(adds ? R"({"by":1})" : json_from(given.json.empty() ? "{}" : given.json, where.in),
                                info.nesting_max, *message);
  if (!fits.ok()) throw call_failed(fits, outcome::not_executed);
  return message->SerializeAsString();
}

/// Sends a request to each key once, after the load.
[[nodiscard]] load_result visit_keys(load_options load, const detail::emptying_request& request,
                                     const server_info& info, const std::string& title, const environment& where) {
  load.method = request.method;
  load.payload = request.payload;
  load.order = key_order::each_once;
  load.connections = std::max(load.connections, info.workers);
  load.requests = 0;
  load.rate = 0;
  load.duration = load.warmup = std::chrono::microseconds{0};
  progress_bar bar{where, title};
  return detail::run_shown(load, info, bar);
}

[[nodiscard]] verification verify(const load_options& load, const load_result& added, const server_info& info,
                                  const environment& where) {
  const load_result read = visit_keys(load, {"Get", ""}, info, "verifying", where);
  verification found;
  found.interrupted = read.interrupted;
  found.sum = read.value_sum;
  found.unread = load.keys - read.acknowledged;
  // Adds that failed with an unknown outcome may or may not be in the sum.
  found.holds = found.unread == 0 && found.sum >= added.acknowledged && found.sum <= added.acknowledged + added.unknown;
  return found;
}

[[nodiscard]] command_error not_verified(const verification& checked, const load_result& result) {
  if (checked.interrupted) return {detail::interrupted, ""};
  const std::string what =
      checked.unread != 0
          ? fmt::format("{} keys could not be read", checked.unread)
          : fmt::format("the sum over all keys is {} and {} adds were acknowledged", checked.sum, result.acknowledged);
  const char* hint = result.lost_connections == 0 ? "" : "; connections were lost, perhaps with a worker and its state";
  return {exit_codes::call_failed, "not verified: " + what + hint};
}

/// Empties the actors that the load has used; returns how many.
[[nodiscard]] std::uint64_t clean(const bench_run& run, const server_info& info, const environment& where) {
  if (std::ranges::count(run.result.keys_used, true) == 0) return 0;
  load_options load = run.load;
  load.only = &run.result.keys_used;
  return visit_keys(load, *detail::emptier_of(run.load), info, "emptying", where).acknowledged;
}

void check_wishes(const bench_arguments& given, const load_options& load) {
  if (given.verify && (load.type != "grove.Counter" || load.method != "Add" || !given.json.empty())) {
    throw wrong_usage("--verify counts what grove.Counter Add has added; leave --type, --method and --payload out");
  }
  if (given.clean && !detail::emptier_of(load)) {
    throw wrong_usage("--clean can remove what grove.Counter Add and grove.Map Set leave, and not " + load.type + " " +
                      load.method);
  }
}

void run_load_command(const bench_arguments& given, client& server, const server_info& info, const environment& where) {
  bench_run run;
  run.load = load_of(given, info, where);
  check_wishes(given, run.load);
  run.load.payload = payload_of(given, run.load, info, server, where);
  {
    progress_bar bar{where, run.load.type + " " + run.load.method};
    run.result = detail::run_shown(run.load, info, bar);
  }
  const bool measured_all = !run.result.interrupted;
  if (given.verify && measured_all) run.checked = verify(run.load, run.result, info, where);
  if (given.clean) run.cleaned = clean(run, info, where);
  if (given.common.json) {
    detail::print_json(run, given.common, where);
  } else {
    detail::print_text(run, info, where);
  }
  if (!measured_all) throw command_error{detail::interrupted, ""};
  if (run.checked && !run.checked->holds) throw not_verified(*run.checked, run.result);
  if (run.result.acknowledged == 0) throw command_error{exit_codes::call_failed, "no request succeeded"};
}

void run_bench(const bench_arguments& given, const environment& where) {
  const bool known = given.scenario.empty() || given.scenario == "concurrency" || given.scenario == "parallelism";
  if (!known) throw wrong_usage("--scenario: '" + given.scenario + "' must be concurrency or parallelism");
  require_utf8("the type", given.type);
  require_utf8("the method", given.method);
  require_utf8("the prefix", given.prefix);
  client server{connection_of(given.common, where)};
  reach(server, given.common, where);
  const std::optional<server_info> info = server.info();
  if (given.scenario == "concurrency") return detail::run_concurrency(given, *info, where);
  if (given.scenario == "parallelism") return detail::run_parallelism(given, *info, where);
  run_load_command(given, server, *info, where);
}

}  // namespace

void add_bench(CLI::App& app, const environment& where) {
  auto* command = add_command(app, "bench", "Put load on the server and measure it");
  auto given = std::make_shared<bench_arguments>();
  add_number(*command, "-c,--connections", given->connections, 1U, 10'000U, "Connections (default: 50)");
  add_number(*command, "-d,--depth", given->depth, 1U, 65'536U, "Requests under way on each (default: 16)");
  add_number(*command, "-k,--keys", given->keys, 1U, 100'000'000U,
             "Actors, over which requests are spread at random (default: 100000)");
  add_duration(*command, "--duration", given->duration, least_duration::more_than_zero,
               "How long to measure (default: 10s)");
  add_number(*command, "-n,--requests", given->requests, std::uint64_t{1}, std::uint64_t{UINT64_MAX},
             "End after so many requests");
  add_positive(*command, "--rate", given->rate, "Open loop: requests due each second, however slow the server is");
  add_duration(*command, "--warmup", given->warmup, least_duration::zero,
               "Load before measuring begins (default: none)");
  add_number(*command, "--threads", given->threads, 1U, 256U, "Threads of the load generator (default: 1)");
  add_text(*command, "--type", given->type, "TYPE", "The actor type (default: grove.Counter)");
  add_text(*command, "--method", given->method, "METHOD", "The method (default: Add)");
  command->add_option("--payload", given->json, "The request: JSON, - or @FILE as for call")->type_name("JSON");
  command->add_option("--prefix", given->prefix, "Of the keys (default: a fresh one)")->type_name("TEXT");
  command->add_flag("--verify", given->verify, "Read every key back: the sum must be the number of acknowledged adds");
  command->add_flag("--clean", given->clean,
                    "Afterwards, remove what the requests have left in the actors that they went to: counters are "
                    "reset, entries of maps deleted");
  add_text(*command, "--scenario", given->scenario, "NAME",
           "Show a property of the server instead: concurrency or parallelism");
  add_common_options(*command, given->common, prints::table, "30s", "How long each request may take: its deadline");
  command->footer(
      "Examples:\n"
      "  grove bench -c 50 -d 16 --duration 5s\n"
      "  grove bench --rate 20000 --type grove.Echo --method Echo --payload '{}'\n"
      "  grove bench -n 1000000 --verify --clean\n"
      "  grove bench --scenario parallelism\n"
      "Ctrl-C ends it early and prints what it has measured (exit code 130).");
  command->callback([given, &where] { run_bench(*given, where); });
}

}  // namespace grove::cli
