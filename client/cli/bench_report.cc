// SPDX-License-Identifier: Apache-2.0
// What `grove bench` tells of a load.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ostream>
#include <utility>

#include "base/text.h"
#include "client/cli/internal/bench_command.h"
#include "client/cli/json.h"
#include "client/cli/output.h"
#include "client/cli/table.h"

namespace grove::cli::detail {
namespace {

void print_errors(const load_result& result, const environment& where) {
  for (const load_errors& each : result.errors) {
    where.out << fmt::format("  {} x {} ({}): {}\n", grouped(each.count), to_string(each.code), to_string(each.result),
                             printable(each.example));
  }
}

[[nodiscard]] std::string errors_as_json(const load_result& result) {
  std::string text = "[";
  for (const load_errors& each : result.errors) {
    if (text.size() > 1) text += ",";
    text += fmt::format(R"({{"code":"{}","outcome":"{}","count":{},"example":{}}})", to_string(each.code),
                        to_string(each.result), each.count, json_string(each.example));
  }
  return text + "]";
}

constexpr std::array<std::pair<const char*, double>, 4> percentiles = {
    {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}}};

void print_verdict(const verification& checked, const load_options& load, const load_result& result,
                   const environment& where) {
  if (checked.interrupted) {
    where.out << "  verified  no: interrupted\n";
    return;
  }
  const std::string known =
      fmt::format("{} acknowledged{}", grouped(result.acknowledged),
                  result.unknown == 0 ? "" : fmt::format(" and {} unknown", grouped(result.unknown)));
  where.out << fmt::format("  verified  {}: the sum over {} keys is {}; adds: {}\n", checked.holds ? "yes" : "NO",
                           grouped(load.keys), grouped(checked.sum), known);
}

/// What becomes of the actors: nobody should wonder later where they come from.
void print_actors(const bench_run& run, const environment& where) {
  const auto used = static_cast<std::uint64_t>(std::ranges::count(run.result.keys_used, true));
  if (run.cleaned) {
    where.out << fmt::format("  emptied   {} of {} actors\n", grouped(*run.cleaned), grouped(used));
  } else if (used != 0 && emptier_of(run.load)) {
    where.out << fmt::format("  kept      {} actors, {} {}...; --clean empties them\n", grouped(used),
                             printable(run.load.type), printable(run.load.prefix));
  }
}

}  // namespace

void print_json(const bench_run& run, const common_options& options, const environment& where) {
  const auto& [load, result, checked, cleaned] = run;
  std::string text = fmt::format(
      R"({{"type":{},"method":{},"connections":{},"depth":{},"threads":{},"keys":{},"prefix":{},)"
      R"("loop":"{}","seconds":{:.6f},"requests":{},"requests_per_second":{:.1f},"sent":{},"acknowledged":{},"failed":{},)"
      R"("unknown":{},"lost_connections":{},"behind":{},"interrupted":{},"latency_us":{{)",
      json_string(load.type), json_string(load.method), load.connections, load.depth, load.threads, load.keys,
      json_string(load.prefix), load.rate > 0 ? "open" : "closed", result.seconds, result.in_time, result.rate(),
      result.sent, result.acknowledged, result.failed(), result.unknown, result.lost_connections, result.behind,
      result.interrupted);
  for (const auto& [name, share] : percentiles) {
    text += fmt::format(R"("{}":{:.3f},)", name, static_cast<double>(result.latency.at(share)) / 1e3);
  }
  text += fmt::format(R"("max":{:.3f},"mean":{:.3f}}},"errors":{})", static_cast<double>(result.latency.max()) / 1e3,
                      result.latency.mean() / 1e3, errors_as_json(result));
  if (checked) {
    text += fmt::format(R"(,"verified":{{"holds":{},"sum":{},"acknowledged":{},"unknown":{},"unread_keys":{}}})",
                        checked->holds, checked->sum, result.acknowledged, result.unknown, checked->unread);
  }
  if (cleaned) text += fmt::format(R"(,"emptied_actors":{})", *cleaned);
  cli::print_json(text + "}", options, where);
}

void print_text(const bench_run& run, const server_info& info, const environment& where) {
  const load_options& load = run.load;
  const load_result& result = run.result;
  where.out << fmt::format("{} {} at {}: {} connections, {} {}, {} keys, {} {}\n\n", printable(load.type),
                           printable(load.method), load.server.to_string(), load.connections,
                           load.rate > 0 ? fmt::format("{:.0f} requests/s due, at most", load.rate) : "depth",
                           load.depth, grouped(load.keys), info.workers, info.workers == 1 ? "worker" : "workers");
  if (result.interrupted) where.out << "  interrupted: this is what was measured until then\n";
  where.out << fmt::format("  answered  {} in {:.2f} s: {} requests/s\n", grouped(result.in_time), result.seconds,
                           grouped(static_cast<std::uint64_t>(result.rate())));
  where.out << "  latency ";
  for (const auto& [name, share] : percentiles) {
    where.out << fmt::format(" {} {} ", name, readable_time(static_cast<double>(result.latency.at(share))));
  }
  where.out << " max " << readable_time(static_cast<double>(result.latency.max())) << '\n';
  where.out << "  failed    " << grouped(result.failed()) << '\n';
  print_errors(result, where);
  if (result.lost_connections != 0) where.out << "  lost connections  " << result.lost_connections << '\n';
  if (result.behind != 0) {
    where.out << fmt::format(
        "  {} requests were due and not sent: the server did not keep up, latency is worse than shown\n",
        grouped(result.behind));
  }
  if (run.checked) print_verdict(*run.checked, load, result, where);
  print_actors(run, where);
}

}  // namespace grove::cli::detail
