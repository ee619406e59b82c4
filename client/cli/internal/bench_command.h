// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "client/cli/environment.h"
#include "client/cli/load.h"

namespace grove::cli::detail {

/// The arguments of `grove bench`.
struct bench_arguments {
  common_options common;
  std::string scenario;
  std::string type = "grove.Counter";
  std::string method;
  std::string json;
  std::string prefix;
  std::string duration;
  std::string warmup;
  unsigned connections = 50;
  unsigned depth = 0;  ///< 0: 16, or in the open loop what the server allows.
  unsigned threads = 1;
  std::uint32_t keys = 100'000;
  std::uint64_t requests = 0;
  double rate = 0;
  bool verify = false;
};

/// `prefix`, or one that no other run has.
[[nodiscard]] std::string prefix_or_fresh(const std::string& prefix);

/// Many actors of one worker wait at the same time: the total time against that of one.
void run_concurrency(const bench_arguments& arguments, const server_info& info, const environment& where);

/// Actors of 1, then 2, ... workers compute: the work done in a second.
void run_parallelism(const bench_arguments& arguments, const server_info& info, const environment& where);

/// The load's errors, one a line.
void print_errors(const load_result& result, const environment& where);
[[nodiscard]] std::string errors_as_json(const load_result& result);

}  // namespace grove::cli::detail
