// SPDX-License-Identifier: Apache-2.0
#include "client/load/load.h"

#include <algorithm>
#include <asio/connect.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <asio/signal_set.hpp>
#include <atomic>
#include <csignal>
#include <memory>
#include <random>
#include <thread>
#include <utility>

#include "client/load/internal/load_connection.h"
#include "client/load/internal/load_plan.h"

namespace grove {
namespace {

using namespace std::chrono_literals;
using load::detail::load_connection;
using load::detail::load_counts;
using load::detail::load_plan;
using load::detail::load_times;

constexpr auto connect_within = 10s;
constexpr auto longest_run = 1h;
constexpr auto between_progress = 200ms;

/// One thread: its loop, its connections, its counts.
class load_thread {
 public:
  load_thread(const load_plan& plan, unsigned index, unsigned connections_before, unsigned connections,
              std::uint64_t seed)
      : plan_{plan}, first_connection_{connections_before} {
    counts_.keys_used.resize(plan.numbers);
    const auto workers = static_cast<unsigned>(plan.keys_of.size());
    for (unsigned i = 0; i < connections; ++i) {
      const unsigned worker = (connections_before + i) % workers;
      links_.push_back(std::make_unique<load_connection>(io_, plan, counts_, worker, seed + index * 1'000'003ULL + i));
    }
  }

  /// Returns when every connection is ready. Errors: why one is not.
  [[nodiscard]] status connect() {
    for (const auto& link : links_)
      link->open();
    const steady_time give_up = time_after(std::chrono::steady_clock::now(), connect_within);
    for (;;) {
      bool ready = true;
      for (const auto& link : links_) {
        if (!link->trouble().ok()) return link->trouble();
        ready = ready && link->ready();
      }
      if (ready) return {};
      if (std::chrono::steady_clock::now() > give_up) {
        return {status_code::unavailable, "not every connection was welcomed within 10 s"};
      }
      io_.restart();
      io_.run_one_for(100ms);
    }
  }

  void run(const load_times& times) {
    for (std::size_t i = 0; i < links_.size(); ++i)
      links_[i]->start(share_of(i), times);
    const double rate = plan_.options.rate;
    tick_ = rate == 0 ? steady_duration{50ms}
                      : std::clamp<steady_duration>(std::chrono::nanoseconds{static_cast<std::int64_t>(1e9 / rate)},
                                                    100us, 5ms);
    tick_soon();
    io_.restart();
    io_.run();
  }

  /// Ends the run soon. Affinity: any thread.
  void stop() noexcept { stopped_.store(true, std::memory_order_relaxed); }

  [[nodiscard]] const load_counts& counts() const noexcept { return counts_; }
  /// Affinity: any thread.
  [[nodiscard]] std::uint64_t answers() const noexcept { return answers_.load(std::memory_order_relaxed); }

 private:
  [[nodiscard]] load_connection::share share_of(std::size_t i) const {
    const load_options& options = plan_.options;
    const unsigned me = first_connection_ + static_cast<unsigned>(i);
    load_connection::share mine;
    const auto part = [](std::uint64_t whole, unsigned index, unsigned of) {
      return whole / of + (index < whole % of ? 1 : 0);
    };
    if (options.order == key_order::each_once) {
      // The connections of a worker take turns in its keys.
      const auto workers = static_cast<unsigned>(plan_.keys_of.size());
      mine.first = me / workers;
      mine.step = (options.connections - links_[i]->worker() + workers - 1) / workers;
      mine.quota = part(plan_.keys_of[links_[i]->worker()].size(), me / workers, static_cast<unsigned>(mine.step));
    } else if (options.requests != 0) {
      mine.quota = part(options.requests, me, options.connections);
    }
    mine.bounded = options.order == key_order::each_once || options.requests != 0;
    if (options.rate > 0) {
      const double interval = 1e9 * options.connections / options.rate;
      mine.interval = std::chrono::nanoseconds{static_cast<std::int64_t>(interval)};
      mine.offset = std::chrono::nanoseconds{static_cast<std::int64_t>(interval * me / options.connections)};
    }
    return mine;
  }

  void tick_soon() {
    timer_.expires_after(tick_);
    timer_.async_wait([this](const asio::error_code&) {
      const steady_time now = std::chrono::steady_clock::now();
      bool done = true;
      const bool stops = stopped_.load(std::memory_order_relaxed) && !std::exchange(stopping_, true);
      for (const auto& link : links_) {
        if (stops) link->stop(now);
        link->tick(now);
        done = done && link->done();
      }
      answers_.store(counts_.answers, std::memory_order_relaxed);
      if (!done) tick_soon();
    });
  }

  const load_plan& plan_;
  unsigned first_connection_;
  asio::io_context io_{1};
  load_counts counts_;
  std::vector<std::unique_ptr<load_connection>> links_;
  connection::steady_timer timer_{io_.get_executor()};
  steady_duration tick_{};
  std::atomic<std::uint64_t> answers_{0};
  std::atomic<bool> stopped_{false};
  bool stopping_ = false;  ///< Each connection knows.
};

/// The first address of the server that takes a connection.
[[nodiscard]] asio::ip::tcp::endpoint find_endpoint(const server_address& server) {
  asio::io_context io{1};
  asio::error_code error;
  const auto found = asio::ip::tcp::resolver{io}.resolve(server.host, std::to_string(server.port), error);
  asio::ip::tcp::socket socket{io};
  if (!error) asio::connect(socket, found, error);
  if (error) throw unavailable("cannot connect to " + server.to_string() + ": " + error.message());
  return socket.remote_endpoint();
}

[[nodiscard]] load_result sum_up(const std::vector<std::unique_ptr<load_thread>>& threads, const load_times& times,
                                 bool timed) {
  load_result result;
  load_counts all;
  for (const auto& thread : threads) {
    const load_counts& part = thread->counts();
    result.latency.merge(part.latency);
    result.in_time += part.in_time;
    result.sent += part.sent;
    result.acknowledged += part.acknowledged;
    result.value_sum += part.value_sum;
    result.lost_connections += part.lost_connections;
    result.behind += part.behind;
    all.last_answer = std::max(all.last_answer, part.last_answer);
    result.keys_used.resize(part.keys_used.size());
    for (std::size_t i = 0; i < part.keys_used.size(); ++i) {
      if (part.keys_used[i]) result.keys_used[i] = true;
    }
    for (std::size_t i = 0; i < part.failures.size(); ++i) {
      all.failed(static_cast<status_code>(i / 4), static_cast<outcome>(i % 4), part.examples[i], part.failures[i]);
    }
  }
  for (std::size_t i = 0; i < all.failures.size(); ++i) {
    if (all.failures[i] == 0) continue;
    const auto known = static_cast<outcome>(i % 4);
    result.errors.push_back({static_cast<status_code>(i / 4), known, all.failures[i], all.examples[i]});
    if (known != outcome::not_executed && known != outcome::executed) result.unknown += all.failures[i];
  }
  const steady_time end = timed ? times.stop : all.last_answer;
  result.seconds = std::max(0.0, std::chrono::duration<double>(end - times.measure_from).count());
  return result;
}

/// The threads of a run and the connections that they serve, all of them made.
[[nodiscard]] std::vector<std::unique_ptr<load_thread>> connected(const load_plan& plan) {
  std::random_device device;
  const std::uint64_t seed = std::uint64_t{device()} << 32U | device();
  const unsigned connections = plan.options.connections;
  const unsigned count = std::clamp(plan.options.threads, 1U, connections);
  std::vector<std::unique_ptr<load_thread>> loads;
  for (unsigned i = 0, before = 0; i < count; ++i) {
    const unsigned part = connections / count + (i < connections % count ? 1 : 0);
    loads.push_back(std::make_unique<load_thread>(plan, i, before, part, seed));
    before += part;
  }
  for (const auto& load : loads) {
    const status ready = load->connect();
    if (!ready.ok()) throw status_error(ready.code(), ready.message());
  }
  return loads;
}

/// How far a run is, by time or by the number of its requests, whichever is nearer to its end.
[[nodiscard]] load_state state_of(const std::vector<std::unique_ptr<load_thread>>& loads, const load_times& times,
                                  const load_options& options, std::uint64_t expected) {
  load_state state;
  for (const auto& load : loads)
    state.answers += load->answers();
  state.elapsed = std::chrono::steady_clock::now() - times.start;
  if (options.duration.count() != 0) {
    state.share = state.elapsed / std::chrono::duration<double>(times.stop - times.start);
  }
  if (expected != 0) {
    state.share = std::max(state.share, static_cast<double>(state.answers) / static_cast<double>(expected));
  }
  state.share = std::min(state.share, 1.0);
  return state;
}

}  // namespace

load_result run_load(const load_options& options, const server_info& info, const load_progress& progress) {
  load_plan plan{options, info};
  plan.endpoint = find_endpoint(options.server);
  const auto loads = connected(plan);
  load_times times;
  times.start = std::chrono::steady_clock::now();
  times.measure_from = time_after(times.start, options.warmup);
  const bool timed = options.duration.count() != 0;
  times.stop = time_after(timed ? times.measure_from : times.start, timed ? options.duration : longest_run);

  asio::io_context io{1};
  const auto work = asio::make_work_guard(io);
  std::size_t running = loads.size();
  bool interrupted = false;
  asio::signal_set signals{io, SIGINT, SIGTERM};
  signals.async_wait([&](const asio::error_code& error, int) {
    if (error) return;
    interrupted = true;
    times.stop = std::min(times.stop, std::chrono::steady_clock::now());
    for (const auto& load : loads)
      load->stop();
    signals.clear();  // A second one ends the program at once.
  });
  std::vector<std::jthread> threads;
  threads.reserve(loads.size());
  for (const auto& load : loads) {
    threads.emplace_back([&, load = load.get(), given = times] {
      load->run(given);
      asio::post(io, [&running] { --running; });
    });
  }
  std::uint64_t expected = options.requests;
  if (options.order == key_order::each_once) {
    expected = 0;
    for (const auto& keys : plan.keys_of)
      expected += keys.size();
  }
  while (running != 0) {
    const steady_time next = time_after(std::chrono::steady_clock::now(), between_progress);
    while (running != 0 && io.run_one_until(next) != 0) {
    }
    if (progress && running != 0 && !interrupted) progress(state_of(loads, times, options, expected));
  }
  threads.clear();
  load_result result = sum_up(loads, times, timed && options.requests == 0);
  result.interrupted = interrupted;
  return result;
}

}  // namespace grove
