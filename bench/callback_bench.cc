// SPDX-License-Identifier: Apache-2.0

// What it costs to call a handler with as many arguments as it takes: beside the direct call, beside a type-erased
// function of ours and beside std::function. Each pair does the same work; the ratios to the direct call are printed
// at the end.

#include <benchmark/benchmark.h>

#include <cstdio>
#include <functional>
#include <map>
#include <string>

#include "base/callback.h"
#include "worker/greenlet/unique_function.h"

namespace {

struct task {
  unsigned long sum = 0;
};
struct context {
  unsigned long seen = 1;
};

// Handlers of every arity, and a step that depends on the one before, so that no call can be left out.
const auto nullary = [] { return 1UL; };
const auto unary = [](unsigned long value) { return value * 3 + 1; };
const auto binary = [](unsigned long value, task& of) { return of.sum += value; };
const auto ternary = [](unsigned long value, task& of, const context& in) { return of.sum += value * in.seen; };

template <int Arity>
const auto& handler() {
  if constexpr (Arity == 0) {
    return nullary;
  } else if constexpr (Arity == 1) {
    return unary;
  } else if constexpr (Arity == 2) {
    return binary;
  } else {
    return ternary;
  }
}

template <int Arity>
unsigned long call_directly(unsigned long value, [[maybe_unused]] task& of, [[maybe_unused]] const context& in) {
  if constexpr (Arity == 0) {
    return nullary();
  } else if constexpr (Arity == 1) {
    return unary(value);
  } else if constexpr (Arity == 2) {
    return binary(value, of);
  } else {
    return ternary(value, of, in);
  }
}

template <typename Call>
void loop(benchmark::State& state, Call&& call) {
  task of;
  context in;
  unsigned long value = 1;
  for (auto _ : state) {
    value = call(value, of, in);
    benchmark::DoNotOptimize(value);
  }
}

template <int Arity>
void direct(benchmark::State& state) {
  loop(state, [](unsigned long value, task& of, const context& in) { return call_directly<Arity>(value, of, in); });
}
template <int Arity>
void callback(benchmark::State& state) {
  loop(state, [](unsigned long value, task& of, const context& in) {
    return grove::call_callback(handler<Arity>(), value, of, in);
  });
}
template <int Arity>
void adapted_in_unique_function(benchmark::State& state) {
  grove::unique_function<unsigned long(unsigned long, task&, const context&)> held(
      grove::adapt_callback<unsigned long(unsigned long, task&, const context&)>(handler<Arity>()));
  benchmark::DoNotOptimize(held);
  loop(state, held);
}
template <int Arity>
void in_std_function(benchmark::State& state) {
  std::function<unsigned long(unsigned long, task&, const context&)> held(
      [](unsigned long value, task& of, const context& in) { return call_directly<Arity>(value, of, in); });
  benchmark::DoNotOptimize(held);
  loop(state, held);
}

#define GROVE_ARITIES(name) \
  BENCHMARK(name<0>);       \
  BENCHMARK(name<1>);       \
  BENCHMARK(name<2>);       \
  BENCHMARK(name<3>)
GROVE_ARITIES(direct);
GROVE_ARITIES(callback);
GROVE_ARITIES(adapted_in_unique_function);
GROVE_ARITIES(in_std_function);
#undef GROVE_ARITIES

/// Prints what is measured, keeps the least time of each, and prints the ratios in the end.
class ratios : public benchmark::ConsoleReporter {
 public:
  void ReportRuns(const std::vector<Run>& runs) override {
    ConsoleReporter::ReportRuns(runs);
    for (const Run& run : runs) {
      if (run.run_type != Run::RT_Iteration) continue;
      const auto [at, is_new] = least_.try_emplace(run.run_name.function_name, run.GetAdjustedCPUTime());
      if (!is_new && run.GetAdjustedCPUTime() < at->second) at->second = run.GetAdjustedCPUTime();
    }
  }
  void Finalize() override {
    for (const auto& [name, time] : least_) {
      const std::size_t arity = name.find('<');
      const auto base = least_.find("direct" + name.substr(arity));
      if (base == least_.end() || name.starts_with("direct")) continue;
      std::printf("%-32s %5.2f times the direct call\n", name.c_str(), time / base->second);
    }
  }

 private:
  std::map<std::string, double> least_;
};

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  ratios report;
  benchmark::RunSpecifiedBenchmarks(&report);
}
