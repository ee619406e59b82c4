// SPDX-License-Identifier: Apache-2.0

// One measurement of one kind of stackful unit, for bench_switch to set beside those of other systems:
//
//   switch_probe KIND ring UNITS SWITCHES   nanoseconds a switch, one direction, with UNITS taking turns
//   switch_probe KIND random UNITS SWITCHES the same, with UNITS taking turns in a random order
//   switch_probe KIND memory UNITS          bytes a suspended unit with a shallow stack, page tables included
//   switch_probe KIND spawn UNITS           units a second that are made, run and joined, a hundred at a time
//   switch_probe KIND asleep UNITS          seconds until UNITS that sleep at once have all woken, and bytes a unit

#include <sys/mman.h>

#include <algorithm>
#include <boost/context/detail/fcontext.hpp>
#include <boost/context/fiber.hpp>
#include <boost/fiber/fiber.hpp>
#include <boost/fiber/operations.hpp>
#include <cfenv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "worker/greenlet/continulet.h"
#include "worker/greenlet/greenlet.h"
#include "worker/hub/hub.h"
#include "worker/tasks/task.h"

namespace {

constexpr std::size_t stack_bytes = 64UL * 1024;
constexpr std::size_t units_at_a_time = 100;

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Resident bytes of this process and of the page tables behind them.
double resident_bytes() {
  std::ifstream status("/proc/self/status");
  double kilobytes = 0;
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:") || line.starts_with("VmPTE:")) kilobytes += std::atof(line.c_str() + 6);
  }
  return kilobytes * 1024;
}

/// Stacks for the peers that are given theirs: pieces of one mapping, which is the cheapest that there is.
class slab_stacks {
 public:
  explicit slab_stacks(std::size_t count)
      : slab_(static_cast<std::byte*>(::mmap(nullptr, count * stack_bytes, PROT_READ | PROT_WRITE,
                                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0))) {
    ::madvise(slab_, count * stack_bytes, MADV_NOHUGEPAGE);
  }
  std::byte* top() { return slab_ + ++used_ * stack_bytes; }

  struct allocator {
    slab_stacks* from;
    boost::context::stack_context allocate() {
      boost::context::stack_context made;
      made.size = stack_bytes;
      made.sp = from->top();
      return made;
    }
    void deallocate(boost::context::stack_context&) noexcept {}
  };

 private:
  std::byte* slab_;
  std::size_t used_ = 0;
};

// ---- kinds: units that give way to their maker when they are visited ----

struct jump_fcontext_units {
  explicit jump_fcontext_units(std::size_t count) : stacks(count), units(count) {
    for (auto& unit : units)
      unit = boost::context::detail::make_fcontext(stacks.top(), stack_bytes, &body);
  }
  void visit(std::size_t i) { units[i] = boost::context::detail::jump_fcontext(units[i], nullptr).fctx; }
  static void body(boost::context::detail::transfer_t from) {
    for (;;)
      from = boost::context::detail::jump_fcontext(from.fctx, nullptr);
  }
  slab_stacks stacks;
  std::vector<boost::context::detail::fcontext_t> units;
};

struct boost_context_units {
  explicit boost_context_units(std::size_t count) : stacks(count), units(count) {
    for (auto& unit : units)
      unit =
          boost::context::fiber(std::allocator_arg, slab_stacks::allocator{&stacks}, [](boost::context::fiber&& main) {
            for (;;)
              main = std::move(main).resume();
            return std::move(main);
          });
  }
  void visit(std::size_t i) { units[i] = std::move(units[i]).resume(); }
  slab_stacks stacks;
  std::vector<boost::context::fiber> units;
};

template <grove::stack_class Stack>
struct greenlet_units {
  explicit greenlet_units(std::size_t count) : units(count) {
    grove::thread_stacks().set_count_max(count + 16);
    for (auto& unit : units)
      unit = grove::greenlet::make(
          [] {
            grove::greenlet& main = grove::greenlet::main();
            for (;;)
              main.resume();
          },
          {.stack = Stack});
  }
  void visit(std::size_t i) { units[i]->resume(); }
  std::vector<grove::greenlet_ptr> units;
};

struct typed_units {
  explicit typed_units(std::size_t count) : units(count) {
    grove::thread_stacks().set_count_max(count + 16);
    for (auto& unit : units)
      unit = grove::greenlet::make([](long number) {
        grove::greenlet& main = grove::greenlet::main();
        for (;;)
          number = main.switch_for<long>(number + 1);
      });
  }
  void visit(std::size_t i) { sum += units[i]->switch_for<long>(sum); }
  std::vector<grove::greenlet_ptr> units;
  long sum = 0;
};

struct continulet_units {
  explicit continulet_units(std::size_t count) {
    grove::thread_stacks().set_count_max(count + 16);
    units.reserve(count);
    for (std::size_t i = 0; i < count; ++i)
      units.push_back(grove::continulet::make([](grove::continulet& self) {
        for (;;)
          self.resume();
      }));
  }
  void visit(std::size_t i) { units[i]->resume(); }
  std::vector<grove::continulet_ptr> units;
};

// Boost.Context loads the floating-point control word of the context that it resumes, which takes twenty times as long
// when the sticky flags in it differ from those of the one that it leaves. Here all have none set: its best case.
double begin_timing() {
  const double begun = now_seconds();
  std::feclearexcept(FE_ALL_EXCEPT);
  return begun;
}

enum class order { as_made, random };

template <typename Units>
double ring_of(std::size_t count, std::size_t switches, order visited) {
  std::feclearexcept(FE_ALL_EXCEPT);
  Units units(count);
  for (std::size_t i = 0; i < count; ++i)
    units.visit(i);
  if (visited == order::random) std::ranges::shuffle(units.units, std::mt19937_64(7));
  const std::size_t rounds = switches / (2 * count) + 1;
  const double begun = begin_timing();
  for (std::size_t round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < count; ++i)
      units.visit(i);
  }
  return (now_seconds() - begun) * 1e9 / static_cast<double>(2 * count * rounds);
}

template <typename Units>
double memory_of(std::size_t count) {
  const double before = resident_bytes();
  Units units(count);
  for (std::size_t i = 0; i < count; ++i)
    units.visit(i);
  return (resident_bytes() - before) / static_cast<double>(count);
}

template <typename Units>
[[noreturn]] void run_units(std::string_view what, std::size_t count, std::size_t switches) {
  const double result = what == "memory"   ? memory_of<Units>(count)
                        : what == "random" ? ring_of<Units>(count, switches, order::random)
                                           : ring_of<Units>(count, switches, order::as_made);
  std::printf("%.6g\n", result);
  std::fflush(stdout);
  std::_Exit(0);  // a million units need not be unwound to be counted
}

// ---- kinds with a scheduler: units that yield to each other ----

double ring_of_hub(std::size_t count, std::size_t switches) {
  const grove::system_clock time;
  grove::hub loop(time);
  grove::thread_stacks().set_count_max(count + 16);
  const std::size_t rounds = switches / count + 1;
  double begun = 0;
  std::size_t arrived = 0;
  std::size_t left = count;
  double ended = 0;
  for (std::size_t i = 0; i < count; ++i)
    grove::spawn([&] {
      grove::yield();
      if (++arrived == count) begun = now_seconds();
      for (std::size_t round = 0; round < rounds; ++round)
        grove::yield();
      if (--left == 0) {
        ended = now_seconds();
        loop.stop();
      }
    });
  loop.run();
  return (ended - begun) * 1e9 / static_cast<double>(count * rounds);
}

double ring_of_boost_fibers(std::size_t count, std::size_t switches) {
  std::feclearexcept(FE_ALL_EXCEPT);
  slab_stacks stacks(count);
  const std::size_t rounds = switches / count + 1;
  std::vector<boost::fibers::fiber> fibers;
  for (std::size_t i = 0; i < count; ++i)
    fibers.emplace_back(std::allocator_arg, slab_stacks::allocator{&stacks}, [rounds] {
      for (std::size_t round = 0; round < rounds; ++round)
        boost::this_fiber::yield();
    });
  const double begun = begin_timing();
  for (auto& fiber : fibers)
    fiber.join();
  return (now_seconds() - begun) * 1e9 / static_cast<double>(count * rounds);
}

double spawn_in_hub(std::size_t count) {
  const grove::system_clock time;
  grove::hub loop(time);
  double rate = 0;
  grove::spawn([&] {
    std::vector<grove::spawned<void>> tasks(units_at_a_time);
    const double begun = now_seconds();
    for (std::size_t done = 0; done < count; done += units_at_a_time) {
      for (auto& task : tasks)
        task = grove::spawn([] {});
      for (auto& task : tasks)
        task->join();
    }
    rate = static_cast<double>(count) / (now_seconds() - begun);
    loop.stop();
  });
  loop.run();
  return rate;
}

double spawn_greenlets(std::size_t count) {
  const double begun = now_seconds();
  for (std::size_t i = 0; i < count; ++i)
    grove::greenlet::make([] {})->resume();
  return static_cast<double>(count) / (now_seconds() - begun);
}

double spawn_boost_fibers(std::size_t count) {
  const double begun = now_seconds();
  std::vector<boost::fibers::fiber> fibers(units_at_a_time);
  for (std::size_t done = 0; done < count; done += units_at_a_time) {
    for (auto& fiber : fibers)
      fiber = boost::fibers::fiber([] {});
    for (auto& fiber : fibers)
      fiber.join();
  }
  return static_cast<double>(count) / (now_seconds() - begun);
}

[[noreturn]] void sleep_in_hub(std::size_t count, grove::stack_class stack) {
  using namespace std::chrono_literals;
  const grove::system_clock time;
  grove::hub loop(time);
  grove::thread_stacks().set_count_max(count + 16);
  const double before = resident_bytes();
  const double begun = now_seconds();
  double all_asleep = 0;
  double peak = 0;
  std::size_t asleep = 0;
  std::size_t woken = 0;
  const auto wake_at = grove::time_after(loop.now(), std::chrono::microseconds(4 * count) + 500ms);
  for (std::size_t i = 0; i < count; ++i)
    grove::spawn_on(
        loop,
        [&, wake_at] {
          if (++asleep == count) all_asleep = now_seconds();
          grove::sleep_until(wake_at);
          if (woken++ == 0) peak = resident_bytes();
          if (woken == count) loop.stop();
        },
        std::nullopt, stack);
  loop.run();
  if (woken != count || all_asleep == 0) std::abort();
  std::printf("%.6g %.6g\n", now_seconds() - begun, (peak - before) / static_cast<double>(count));
  std::fflush(stdout);
  std::_Exit(0);
}

int usage() {
  std::fputs("usage: switch_probe KIND ring|random|memory|spawn|asleep UNITS [SWITCHES]\n", stderr);
  return 2;
}

}  // namespace

int main(int count, char** words) {
  if (count < 4) return usage();
  const std::string_view kind = words[1];
  const std::string_view what = words[2];
  const std::size_t units = std::strtoul(words[3], nullptr, 10);
  const std::size_t switches = count > 4 ? std::strtoul(words[4], nullptr, 10) : 0;
  if (units == 0) return usage();
  using enum grove::stack_class;
  if (what == "asleep" && kind == "hub") sleep_in_hub(units, small);
  if (what == "asleep" && kind == "hub_sliced") sleep_in_hub(units, sliced);
  if (what == "ring" || what == "random" || what == "memory") {
    if (kind == "jump_fcontext") run_units<jump_fcontext_units>(what, units, switches);
    if (kind == "boost_context") run_units<boost_context_units>(what, units, switches);
    if (kind == "greenlet") run_units<greenlet_units<small>>(what, units, switches);
    if (kind == "sliced") run_units<greenlet_units<sliced>>(what, units, switches);
    if (kind == "continulet") run_units<continulet_units>(what, units, switches);
    if (kind == "typed") run_units<typed_units>(what, units, switches);
  }
  double result = 0;
  if (what == "ring" && kind == "hub") result = ring_of_hub(units, switches);
  if (what == "ring" && kind == "boost_fiber") result = ring_of_boost_fibers(units, switches);
  if (what == "spawn" && kind == "hub") result = spawn_in_hub(units);
  if (what == "spawn" && kind == "greenlet") result = spawn_greenlets(units);
  if (what == "spawn" && kind == "boost_fiber") result = spawn_boost_fibers(units);
  if (result == 0) return usage();
  std::printf("%.6g\n", result);
  return 0;
}
