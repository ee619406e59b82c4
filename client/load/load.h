// SPDX-License-Identifier: Apache-2.0
#pragma once

// A load generator: many connections, each with many requests under way, and next to no work of its own per request,
// so that what is measured is the server.
//
// - Closed loop: a connection sends `depth` requests in one write, waits for all their answers, and sends the next.
// - Open loop (`rate`): requests have times at which they are due, whatever the server does. Latency is measured from
//   then, so that a server that stalls cannot hide it (no coordinated omission). At most `depth` are under way at a
//   time.
// - A connection is for one worker and sends it requests for actors that it owns.
// - Requests carry `timeout` as their deadline, so that a server with too much to do can say that it did not come to
//   them. Only a connection from which nothing comes well beyond that is given up.
// - It always ends: after `duration`, or after `requests` or one hour, or soon after a SIGINT or SIGTERM, with what was
//   measured until then.

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/status.h"
#include "client/address.h"
#include "client/connection.h"
#include "client/load/histogram.h"

namespace grove {

enum class key_order : std::uint8_t {
  random,     ///< Each request draws a key.
  each_once,  ///< Every key once.
};

struct load_options {
  server_address server;
  std::string type;
  std::string method;
  std::string payload;
  unsigned connections = 50;
  unsigned depth = 16;
  unsigned threads = 1;
  std::uint32_t keys = 100'000;
  std::string prefix;  ///< Of every key.
  key_order order = key_order::random;
  /// How many workers' actors are used, from the first; 0: all. With it `keys` are those of these workers.
  std::uint32_t workers_used = 0;
  std::chrono::microseconds duration{0};  ///< Measured; 0: until `requests`.
  std::chrono::microseconds warmup{0};    ///< Before.
  std::uint64_t requests = 0;             ///< 0: no such bound.
  double rate = 0;                        ///< Requests a second; 0: closed loop.
  std::chrono::microseconds timeout{0};   ///< Of each request; 0: the server's default.
  /// With key_order::each_once: only the keys that are true in it, by their numbers.
  const std::vector<bool>* only = nullptr;
};

struct load_errors {
  status_code code = status_code::ok;
  outcome result = outcome::unspecified;
  std::uint64_t count = 0;
  std::string example;
};

struct load_result {
  /// Of the requests begun within the measured time that ended OK, in nanoseconds.
  histogram latency;
  double seconds = 0;         ///< The measured time,
  std::uint64_t in_time = 0;  ///< and what was answered OK in it.
  /// Within the measured time and before it.
  std::uint64_t sent = 0;
  std::uint64_t acknowledged = 0;  ///< OK.
  std::uint64_t unknown = 0;       ///< Failed, but may have run.
  std::uint64_t value_sum = 0;     ///< Of field 1, a number, of all responses.
  std::uint64_t lost_connections = 0;
  /// Open loop: requests that were due and could not be sent because `depth` were under way.
  std::uint64_t behind = 0;
  std::vector<load_errors> errors;
  bool interrupted = false;     ///< It ended before its time.
  std::vector<bool> keys_used;  ///< By number: a request has run in it, or may have.

  [[nodiscard]] std::uint64_t failed() const noexcept {
    std::uint64_t count = 0;
    for (const load_errors& each : errors)
      count += each.count;
    return count;
  }
  [[nodiscard]] double rate() const noexcept { return seconds > 0 ? static_cast<double>(in_time) / seconds : 0; }
};

/// How far a run is.
struct load_state {
  double share = 0;  ///< Of it that is done, 0 to 1.
  std::uint64_t answers = 0;
  std::chrono::duration<double> elapsed{0};
};
using load_progress = std::function<void(const load_state&)>;

/// Runs the load. `info` is what the server said at hello. `progress` is called a few times a second, on this thread.
/// Errors: status_error when a connection cannot be made; nothing has been sent then.
[[nodiscard]] load_result run_load(const load_options& options, const server_info& info, const load_progress& progress);

}  // namespace grove
