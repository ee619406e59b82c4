// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "client/cli/environment.h"
#include "client/cli/progress.h"
#include "client/load/load.h"

namespace grove::cli::detail {

/// The arguments of `grove bench`.
struct bench_arguments {
  common_options common;
  std::string scenario;
  std::string type = "grove.Counter";
  std::string method;
  std::string json;
  std::string prefix;
  std::chrono::microseconds duration{0};
  std::chrono::microseconds warmup{0};
  unsigned connections = 50;
  unsigned depth = 0;  ///< 0: 16, or in the open loop what the server allows.
  unsigned threads = 1;
  std::uint32_t keys = 100'000;
  std::uint64_t requests = 0;
  double rate = 0;
  bool verify = false;
  bool clean = false;
};

/// What reading every key back has shown.
struct verification {
  std::uint64_t sum = 0;
  std::uint64_t unread = 0;
  bool holds = false;
  bool interrupted = false;
};

/// A load that was run, and what came after it.
struct bench_run {
  load_options load;
  load_result result;
  std::optional<verification> checked;
  std::optional<std::uint64_t> cleaned;  ///< How many actors were emptied.
};

/// The request that leaves an actor as if the load's had never been there.
struct emptying_request {
  std::string method;
  std::string payload;
};
/// Nothing: the load leaves no state, or it is not known how to remove it.
[[nodiscard]] std::optional<emptying_request> emptier_of(const load_options& load);

/// The deadline of the requests, from --timeout.
/// Errors: wrong_usage when the server allows less.
[[nodiscard]] std::chrono::microseconds request_timeout(const common_options& options, const server_info& info);

/// run_load() with a bar.
/// Errors: command_error with exit code 3 when a connection cannot be made.
[[nodiscard]] load_result run_shown(const load_options& load, const server_info& info, progress_bar& bar);

/// SIGINT or SIGTERM came: the exit code for what calls the program.
inline constexpr int interrupted = 130;

/// `prefix`, or one that no other run has.
[[nodiscard]] std::string prefix_or_fresh(const std::string& prefix);

/// Many actors of one worker wait at the same time: the total time against that of one.
void run_concurrency(const bench_arguments& arguments, const server_info& info, const environment& where);

/// Actors of 1, then 2, ... workers compute: the work done in a second.
void run_parallelism(const bench_arguments& arguments, const server_info& info, const environment& where);

void print_text(const bench_run& run, const server_info& info, const environment& where);
void print_json(const bench_run& run, const common_options& options, const environment& where);

}  // namespace grove::cli::detail
