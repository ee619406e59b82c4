// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <memory>
#include <optional>
#include <ostream>
#include <random>

#include "base/exit_codes.h"
#include "client/cli/commands.h"
#include "client/cli/described_type.h"
#include "client/cli/internal/bench_command.h"
#include "client/cli/json.h"
#include "client/cli/progress.h"
#include "client/cli/table.h"

namespace grove::cli {
namespace detail {

std::string prefix_or_fresh(const std::string& prefix) {
  if (!prefix.empty()) return prefix;
  std::random_device device;
  return fmt::format("bench-{:08x}-", device());
}

void print_errors(const load_result& result, const environment& where) {
  for (const load_errors& each : result.errors) {
    where.out << fmt::format("  {} x {} ({}): {}\n", grouped(each.count), to_string(each.code), to_string(each.result),
                             each.example);
  }
}

std::string errors_as_json(const load_result& result) {
  std::string text = "[";
  for (const load_errors& each : result.errors) {
    if (text.size() > 1) text += ",";
    text += fmt::format(R"({{"code":"{}","outcome":"{}","count":{},"example":{}}})", to_string(each.code),
                        to_string(each.result), each.count, json_string(each.example));
  }
  return text + "]";
}

}  // namespace detail

namespace {

using detail::bench_arguments;

/// What reading every key back has shown.
struct verification {
  std::uint64_t sum = 0;
  std::uint64_t unread = 0;
  bool holds = false;
};

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
    throw wrong_usage(fmt::format("--depth: {} is more than the server's limit unfinished_calls, {}", load.depth,
                                  info.unfinished_calls_max));
  }
  if (!given.duration.empty()) load.duration = parse_duration(given.duration, "--duration");
  if (given.requests == 0 && load.duration.count() == 0) load.duration = std::chrono::seconds{10};
  if (!given.warmup.empty()) load.warmup = parse_duration(given.warmup, "--warmup");
  if (!given.common.timeout.empty()) load.timeout = parse_duration(given.common.timeout, "--timeout");
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

[[nodiscard]] verification verify(load_options load, const load_result& added, const server_info& info,
                                  const environment& where) {
  load.method = "Get";
  load.payload.clear();
  load.order = key_order::each_once;
  load.connections = std::max(load.connections, info.workers);
  load.requests = 0;
  load.rate = 0;
  load.duration = load.warmup = std::chrono::microseconds{0};
  progress_bar bar{where, "verifying"};
  const load_result read = run_load(load, info, [&bar](double share, std::uint64_t count) { bar.show(share, count); });
  verification found;
  found.sum = read.value_sum;
  found.unread = load.keys - read.acknowledged;
  // Adds that failed with an unknown outcome may or may not be in the sum.
  found.holds = found.unread == 0 && found.sum >= added.acknowledged && found.sum <= added.acknowledged + added.unknown;
  return found;
}

constexpr std::array<std::pair<const char*, double>, 4> percentiles = {
    {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}}};

void print_json(const load_options& load, const load_result& result, const std::optional<verification>& checked,
                const environment& where) {
  std::string text = fmt::format(
      R"({{"type":{},"method":{},"connections":{},"depth":{},"threads":{},"keys":{},"prefix":{},)"
      R"("loop":"{}","seconds":{:.6f},"requests":{},"requests_per_second":{:.1f},"sent":{},"acknowledged":{},"failed":{},)"
      R"("unknown":{},"lost_connections":{},"behind":{},"latency_us":{{)",
      json_string(load.type), json_string(load.method), load.connections, load.depth, load.threads, load.keys,
      json_string(load.prefix), load.rate > 0 ? "open" : "closed", result.seconds, result.in_time, result.rate(),
      result.sent, result.acknowledged, result.failed(), result.unknown, result.lost_connections, result.behind);
  for (const auto& [name, share] : percentiles) {
    text += fmt::format(R"("{}":{:.3f},)", name, static_cast<double>(result.latency.at(share)) / 1e3);
  }
  text += fmt::format(R"("max":{:.3f},"mean":{:.3f}}},"errors":{})", static_cast<double>(result.latency.max()) / 1e3,
                      result.latency.mean() / 1e3, detail::errors_as_json(result));
  if (checked) {
    text += fmt::format(R"(,"verified":{{"holds":{},"sum":{},"acknowledged":{},"unknown":{},"unread_keys":{}}})",
                        checked->holds, checked->sum, result.acknowledged, result.unknown, checked->unread);
  }
  where.out << text << "}\n";
}

void print_text(const load_options& load, const server_info& info, const load_result& result,
                const environment& where) {
  where.out << fmt::format("{} {} at {}: {} connections, {} {}, {} keys, {} {}\n\n", load.type, load.method,
                           load.server.to_string(), load.connections,
                           load.rate > 0 ? fmt::format("{:.0f} requests/s due, at most", load.rate) : "depth",
                           load.depth, grouped(load.keys), info.workers, info.workers == 1 ? "worker" : "workers");
  where.out << fmt::format("  answered  {} in {:.2f} s: {} requests/s\n", grouped(result.in_time), result.seconds,
                           grouped(static_cast<std::uint64_t>(result.rate())));
  where.out << "  latency ";
  for (const auto& [name, share] : percentiles) {
    where.out << fmt::format(" {} {} ", name, readable_time(static_cast<double>(result.latency.at(share))));
  }
  where.out << " max " << readable_time(static_cast<double>(result.latency.max())) << '\n';
  where.out << "  failed    " << grouped(result.failed()) << '\n';
  detail::print_errors(result, where);
  if (result.lost_connections != 0) where.out << "  lost connections  " << result.lost_connections << '\n';
  if (result.behind != 0) {
    where.out << fmt::format(
        "  {} requests were due and not sent: the server did not keep up, latency is worse than shown\n",
        grouped(result.behind));
  }
}

void print_verdict(const verification& checked, const load_options& load, const load_result& result,
                   const environment& where) {
  const std::string known =
      fmt::format("{} acknowledged{}", grouped(result.acknowledged),
                  result.unknown == 0 ? "" : fmt::format(" and {} unknown", grouped(result.unknown)));
  where.out << fmt::format("  verified  {}: the sum over {} keys is {}; adds: {}\n", checked.holds ? "yes" : "NO",
                           grouped(load.keys), grouped(checked.sum), known);
}

[[nodiscard]] command_error not_verified(const verification& checked, const load_result& result) {
  const std::string what =
      checked.unread != 0
          ? fmt::format("{} keys could not be read", checked.unread)
          : fmt::format("the sum over all keys is {} and {} adds were acknowledged", checked.sum, result.acknowledged);
  const char* hint = result.lost_connections == 0 ? "" : "; connections were lost, perhaps with a worker and its state";
  return {exit_codes::call_failed, "not verified: " + what + hint};
}

void run_load_command(const bench_arguments& given, client& server, const server_info& info, const environment& where) {
  load_options load = load_of(given, info, where);
  if (given.verify && (load.type != "grove.Counter" || load.method != "Add" || !given.json.empty())) {
    throw wrong_usage("--verify counts what grove.Counter Add has added; leave --type, --method and --payload out");
  }
  load.payload = payload_of(given, load, info, server, where);
  load_result result;
  {
    progress_bar bar{where, load.type + " " + load.method};
    result = run_load(load, info, [&bar](double share, std::uint64_t count) { bar.show(share, count); });
  }
  std::optional<verification> checked;
  if (given.verify) checked = verify(load, result, info, where);
  if (given.common.json) {
    print_json(load, result, checked, where);
  } else {
    print_text(load, info, result, where);
    if (checked) print_verdict(*checked, load, result, where);
  }
  if (checked && !checked->holds) throw not_verified(*checked, result);
  if (result.acknowledged == 0) throw command_error{exit_codes::call_failed, "no request succeeded"};
}

void run(const bench_arguments& given, const environment& where) {
  std::optional<server_info> info;
  client server{connection_of(given.common, where)};
  reach(server, given.common, where);
  info = server.info();
  if (given.scenario == "concurrency") return detail::run_concurrency(given, *info, where);
  if (given.scenario == "parallelism") return detail::run_parallelism(given, *info, where);
  run_load_command(given, server, *info, where);
}

}  // namespace

void add_bench(CLI::App& app, const environment& where) {
  auto* command = add_command(app, "bench", "Put load on the server and measure it");
  auto given = std::make_shared<bench_arguments>();
  command->add_option("-c,--connections", given->connections, "Connections")
      ->check(CLI::Range(1U, 10'000U))
      ->capture_default_str();
  command->add_option("-d,--depth", given->depth, "Requests under way on each (default 16)")
      ->check(CLI::Range(1U, 65'536U));
  command->add_option("-k,--keys", given->keys, "Actors, over which requests are spread at random")
      ->check(CLI::Range(1U, 100'000'000U))
      ->capture_default_str();
  command->add_option("--duration", given->duration, "How long to measure (default 10s)")->type_name("TIME");
  command->add_option("-n,--requests", given->requests, "End after so many requests")->check(CLI::PositiveNumber);
  command->add_option("--rate", given->rate, "Open loop: requests due each second, however slow the server is")
      ->check(CLI::PositiveNumber);
  command->add_option("--warmup", given->warmup, "Load before measuring begins (default none)")->type_name("TIME");
  command->add_option("--threads", given->threads, "Threads of the load generator")
      ->check(CLI::Range(1U, 256U))
      ->capture_default_str();
  command->add_option("--type", given->type, "The actor type")->capture_default_str()->type_name("TYPE");
  command->add_option("--method", given->method, "The method (default Add)")->type_name("METHOD");
  command->add_option("--payload", given->json, "The request: JSON, - or @FILE as for call")->type_name("JSON");
  command->add_option("--prefix", given->prefix, "Of the keys (default: a fresh one)")->type_name("TEXT");
  command->add_flag("--verify", given->verify, "Read every key back: the sum must be the number of acknowledged adds");
  command->add_option("--scenario", given->scenario, "Show a property of the server instead: concurrency | parallelism")
      ->check(CLI::IsMember({"concurrency", "parallelism"}))
      ->type_name("NAME");
  add_common_options(*command, given->common, prints::table);
  command->footer(
      "Examples:\n"
      "  grove bench -c 50 -d 16 --duration 5s\n"
      "  grove bench --rate 20000 --type grove.Echo --method Echo --payload '{\"text\":\"hello\"}'\n"
      "  grove bench -n 1000000 --verify\n"
      "  grove bench --scenario parallelism");
  command->callback([given, &where] { run(*given, where); });
}

}  // namespace grove::cli
