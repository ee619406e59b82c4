// SPDX-License-Identifier: Apache-2.0

// A process for a debugger to look at: greenlets of two threads in all states, and then an abort.

#include <cstdlib>
#include <future>
#include <thread>

#include "worker/greenlet/big_stack.h"
#include "worker/greenlet/greenlet.h"

namespace scene {

[[gnu::noinline]] int wait_for_the_debugger(grove::greenlet& to) {
  to.resume();
  return 1;
}

// NOLINTNEXTLINE(misc-no-recursion)
[[gnu::noinline]] int go_deep(grove::greenlet& to, int depth) {
  const int result = depth == 0 ? wait_for_the_debugger(to) : go_deep(to, depth - 1);
  return result + 1;
}

[[gnu::noinline]] int go_to_a_big_stack(grove::greenlet& to) {
  return grove::on_big_stack([&to] { return go_deep(to, 2); }) + 1;
}

[[noreturn, gnu::noinline]] void stop() {
  std::abort();
}

[[gnu::noinline]] void stop_on_a_big_stack() {
  grove::on_big_stack([] { stop(); });
}

}  // namespace scene

int main() {
  std::promise<void> ready;
  std::thread([&ready] {
    grove::greenlet& main = grove::greenlet::main();
    auto other = grove::greenlet::make([&main] { scene::go_deep(main, 1); }, {.name = "elsewhere"});
    other->resume();
    ready.set_value();
    std::promise<void>().get_future().wait();
  }).detach();
  ready.get_future().wait();
  grove::greenlet& main = grove::greenlet::main();
  auto waiting = grove::greenlet::make([&main] { scene::go_deep(main, 3); }, {.name = "waiting"});
  waiting->resume();
  auto away = grove::greenlet::make([&main] { scene::go_to_a_big_stack(main); }, {.name = "away"});
  away->resume();
  auto unstarted = grove::greenlet::make([] {}, {.name = "unstarted"});
  auto ended = grove::greenlet::make([] {}, {.name = "ended"});
  ended->resume();
  grove::greenlet::make([] { scene::stop_on_a_big_stack(); }, {.name = "stopper"})->resume();
}
