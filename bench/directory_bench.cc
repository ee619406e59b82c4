// SPDX-License-Identifier: Apache-2.0

// The directory of a worker's actors: what a look-up costs, alone and after a prefetch, by the number of actors and by how
// many workers share the addresses; and how long the slowest insertion is on the way to so many.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <ctime>
#include <random>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/hash.h"
#include "worker/actor/actor.h"
#include "worker/actor/directory.h"

namespace grove {
namespace {

const actor_type type({.name = "bench.Actor", .object_size = 64, .object_alignment = 16}, 0);

/// Nobody looks at the runtime of a cell in here.
hosted_type& hosted() {
  alignas(64) static std::array<char, 64> no_runtime;
  static hosted_type made{reinterpret_cast<runtime&>(no_runtime), type};
  return made;
}

/// The processor's time: what else the machine does meanwhile is not the directory's.
steady_duration time_used() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

struct address {
  std::uint64_t hash;
  std::string key;
};

/// The first `count` addresses that worker 0 of `workers` owns, in a random order.
std::vector<address> addresses(std::size_t count, std::uint32_t workers) {
  std::vector<address> found;
  for (std::uint64_t n = 0; found.size() < count; ++n) {
    std::string key = "user-" + std::to_string(n);
    const std::uint64_t hash = hash_of_address(type.id(), key);
    if (partition_of(hash, default_partitions) % workers == 0) found.push_back({hash, std::move(key)});
  }
  std::ranges::shuffle(found, std::mt19937_64(7));
  return found;
}

void fill(directory& cells, const std::vector<address>& all) {
  for (const address& each : all)
    cells.insert(hosted(), each.hash, each.key);
}

void find(benchmark::State& state) {
  const std::vector<address> all =
      addresses(static_cast<std::size_t>(state.range(0)), static_cast<std::uint32_t>(state.range(1)));
  directory cells;
  fill(cells, all);
  std::size_t at = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(cells.find(type, all[at].hash, all[at].key));
    at = at + 1 == all.size() ? 0 : at + 1;
  }
}

/// As the gate does it: a batch of prefetches, then the look-ups.
void find_after_prefetch(benchmark::State& state) {
  constexpr std::size_t batch = 16;
  const std::vector<address> all =
      addresses(static_cast<std::size_t>(state.range(0)), static_cast<std::uint32_t>(state.range(1)));
  directory cells;
  fill(cells, all);
  std::size_t at = 0;
  while (state.KeepRunningBatch(batch)) {
    for (std::size_t i = at; i < at + batch; ++i)
      cells.prefetch(all[i].hash);
    for (std::size_t i = at; i < at + batch; ++i)
      benchmark::DoNotOptimize(cells.find(type, all[i].hash, all[i].key));
    at = at + 2 * batch <= all.size() ? at + batch : 0;
  }
}

void insert(benchmark::State& state) {
  const std::vector<address> all =
      addresses(static_cast<std::size_t>(state.range(0)), static_cast<std::uint32_t>(state.range(1)));
  steady_duration slowest{};
  for (auto _ : state) {
    directory cells;
    for (const address& each : all) {
      const steady_duration began = time_used();
      cells.insert(hosted(), each.hash, each.key);
      slowest = std::max(slowest, time_used() - began);
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.counters["slowest_us"] = std::chrono::duration<double, std::micro>(slowest).count();
}

void sizes(benchmark::internal::Benchmark* of) {
  for (const std::int64_t actors : {1'000, 100'000, 1'000'000}) {
    for (const std::int64_t workers : {1, 4})
      of->Args({actors, workers});
  }
  of->Args({10'000'000, 1});
}
BENCHMARK(find)->Apply(sizes)->ArgNames({"actors", "workers"});
BENCHMARK(find_after_prefetch)->Apply(sizes)->ArgNames({"actors", "workers"});
BENCHMARK(insert)->Args({1'000'000, 1})->ArgNames({"actors", "workers"})->Iterations(1);

}  // namespace
}  // namespace grove

BENCHMARK_MAIN();
