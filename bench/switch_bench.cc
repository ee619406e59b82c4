// SPDX-License-Identifier: Apache-2.0

// The cost of a switch, there and back, between two contexts: the bare jump_fcontext, our exchange, a greenlet's resume()
// and switch_to(), and boost::context::fiber. All take the same two jumps; divide by two for one.

#include <benchmark/benchmark.h>

#include <array>
#include <boost/context/detail/fcontext.hpp>
#include <boost/context/fiber.hpp>
#include <memory>

#include "base/clock.h"
#include "worker/greenlet/continulet.h"
#include "worker/greenlet/exchange.h"
#include "worker/greenlet/generator.h"
#include "worker/greenlet/greenlet.h"
#include "worker/hub/hub.h"
#include "worker/hub/waiter.h"
#include "worker/tasks/task.h"

namespace {

namespace context = boost::context::detail;
constexpr std::size_t stack_size = 64UL * 1024;

void bare_partner(context::transfer_t from) {
  for (;;)
    from = context::jump_fcontext(from.fctx, from.data);
}

void jump_fcontext_bare(benchmark::State& state) {
  const auto room = std::make_unique<std::byte[]>(stack_size);
  context::fcontext_t partner = context::make_fcontext(room.get() + stack_size, stack_size, &bare_partner);
  for (auto _ : state)
    partner = context::jump_fcontext(partner, nullptr).fctx;
}

struct exchange_pair {
  grove::execution_context here;
  grove::execution_context there;
  grove::exception_state* exceptions;
  static thread_local exchange_pair* running;
};
thread_local exchange_pair* exchange_pair::running = nullptr;

void exchange_partner(void* left) {
  exchange_pair& pair = *exchange_pair::running;
  grove::greenlets::detail::arrive(pair.there, left);
  for (;;)
    grove::exchange(pair.there, pair.here, *pair.exceptions);
}

void exchange_bare(benchmark::State& state) {
  const auto room = std::make_unique<std::byte[]>(stack_size);
  exchange_pair pair;
  pair.exceptions = &grove::thread_exceptions();
  exchange_pair::running = &pair;
  grove::prepare(pair.there, room.get(), room.get() + stack_size, &exchange_partner);
  for (auto _ : state)
    grove::exchange(pair.here, pair.there, *pair.exceptions);
}

void greenlet_resume(benchmark::State& state) {
  grove::greenlet& main = grove::greenlet::main();
  grove::greenlet_ptr partner = grove::greenlet::make([&] {
    for (;;)
      main.resume();
  });
  for (auto _ : state)
    partner->resume();
}

void greenlet_switch_with_a_value(benchmark::State& state) {
  grove::greenlet& main = grove::greenlet::main();
  grove::greenlet_ptr partner = grove::greenlet::make([&] {
    for (int i = 0;; ++i)
      main.switch_to(i);
  });
  for (auto _ : state)
    benchmark::DoNotOptimize(partner->switch_to(1).take<int>());
}

void greenlet_switch_with_types(benchmark::State& state) {
  grove::greenlet& main = grove::greenlet::main();
  grove::greenlet_ptr partner = grove::greenlet::make([&](int passed) {
    for (;;)
      passed = main.switch_for<int>(passed + 1);
  });
  int passed = 0;
  for (auto _ : state)
    passed = partner->switch_for<int>(std::move(passed));
  benchmark::DoNotOptimize(passed);
}

void greenlet_switch_with_a_large_object(benchmark::State& state) {
  struct large {
    std::array<std::uint64_t, 16> words;
  };
  grove::greenlet& main = grove::greenlet::main();
  grove::greenlet_ptr partner = grove::greenlet::make([&](large passed) {
    for (;;)
      passed = main.switch_for<large>(std::move(passed));
  });
  large passed{};
  for (auto _ : state)
    passed = partner->switch_for<large>(std::move(passed));
  benchmark::DoNotOptimize(passed);
}

void continulet_resume(benchmark::State& state) {
  grove::continulet_ptr partner = grove::continulet::make([](grove::continulet& self) {
    for (;;)
      self.resume();
  });
  for (auto _ : state)
    partner->resume();
}

void generator_next(benchmark::State& state) {
  grove::generator<int> numbers([](grove::genlet<int>& to) {
    for (int i = 0;; ++i)
      to.yield(i);
  });
  auto at = numbers.begin();
  for (auto _ : state)
    benchmark::DoNotOptimize(*++at);
}

void boost_fiber(benchmark::State& state) {
  boost::context::fiber partner([](boost::context::fiber&& main) {
    for (;;)
      main = std::move(main).resume();
    return std::move(main);
  });
  for (auto _ : state)
    partner = std::move(partner).resume();
}

void hub_yield(benchmark::State& state) {
  const grove::system_clock time;
  grove::hub loop(time);
  auto task = grove::spawn([&] {
    for (auto _ : state)
      grove::yield();
    loop.stop();
  });
  loop.run();
}

void hub_wake_and_wait(benchmark::State& state) {
  const grove::system_clock time;
  grove::hub loop(time);
  grove::waiter* waiting = nullptr;
  bool done = false;
  grove::spawn([&] {
    grove::waiter mine(loop);
    waiting = &mine;
    while (!done)
      mine.wait();
  });
  loop.run_ready();
  for (auto _ : state) {
    waiting->wake();
    loop.poll();
  }
  done = true;
  waiting->wake();
  loop.run_ready();
}

void hub_spawn_and_finish(benchmark::State& state) {
  const grove::system_clock time;
  grove::hub loop(time);
  for (auto _ : state) {
    for (int i = 0; i < 100; ++i)
      grove::spawn([] {});
    loop.run_ready();
  }
  state.SetItemsProcessed(state.iterations() * 100);
}

void hub_timer_arm_and_disarm(benchmark::State& state) {
  class idle_timer final : public grove::hub_timer {
    void expired() override {}
  };
  const grove::system_clock time;
  grove::hub loop(time);
  std::vector<idle_timer> others(static_cast<std::size_t>(state.range(0)));
  const grove::steady_time now = loop.now();
  unsigned random = 1;
  for (idle_timer& other : others) {
    random = random * 1664525U + 1013904223U;
    other.arm(loop, grove::time_after(now, std::chrono::seconds(100) + std::chrono::microseconds(random >> 8U)));
  }
  idle_timer mine;
  for (auto _ : state) {
    random = random * 1664525U + 1013904223U;
    mine.arm(loop, grove::time_after(now, std::chrono::seconds(100) + std::chrono::microseconds(random >> 8U)));
    mine.disarm();
  }
}

BENCHMARK(jump_fcontext_bare);
BENCHMARK(exchange_bare);
BENCHMARK(greenlet_resume);
BENCHMARK(greenlet_switch_with_a_value);
BENCHMARK(greenlet_switch_with_types);
BENCHMARK(greenlet_switch_with_a_large_object);
BENCHMARK(continulet_resume);
BENCHMARK(generator_next);
BENCHMARK(boost_fiber);
BENCHMARK(hub_yield);
BENCHMARK(hub_wake_and_wait);
BENCHMARK(hub_spawn_and_finish);
BENCHMARK(hub_timer_arm_and_disarm)->Arg(1000)->Arg(1'000'000);

}  // namespace

BENCHMARK_MAIN();
