// SPDX-License-Identifier: Apache-2.0

// Runs the scenarios of a file and prints their transcripts: grove_scenarios [--sliced] FILE [SCENARIO...]

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "base/clock.h"
#include "tests/conformance/interpreter/task_verbs.h"

namespace grove::conformance {

namespace {

void drop_globals(world& in) {
  while (!in.globals.empty()) {
    const value dropped = std::move(in.globals.begin()->second);
    in.globals.erase(in.globals.begin());
  }
}

void run_greenlets(world& in) {
  in.of.system == "continulet" ? add_continulet_verbs(in) : add_greenlet_verbs(in);
  in.run_main("main");
  in.recording = false;
  drop_globals(in);
}

/// The scenario is a task. Time moves, a second at once, when nothing else is to be done.
void run_hub(world& in) {
  manual_clock time;
  hub loop(time);
  loop.set_error_handler([&](std::string_view where, const std::exception_ptr& error) {
    if (where != "a spawned greenlet") in.print("hub: " + text_of({in.exceptions.name(error)}));
  });
  add_task_verbs(in);
  add_sync_verbs(in);
  add_pool_verbs(in);
  bool ended = false;
  const auto scenario = spawn([&] {
    in.run_main("main");
    in.recording = false;
    drop_globals(in);
    ended = true;
  });
  for (loop.run_ready(); !ended && loop.armed_timers() != 0; loop.run_ready())
    time.advance(std::chrono::seconds(1));
  if (!ended) in.print("main ended with would block forever");
  in.recording = false;
  scenario->kill(kill_mode::do_not_wait);
  loop.run_ready();
  if (scenario->exception() != nullptr) std::rethrow_exception(scenario->exception());
}

void run_here(const scenario& runs, stack_class stacks, std::vector<std::string>& transcript) {
  world in(runs, transcript);
  in.stacks = stacks;
  add_core_verbs(in);
  const std::lock_guard hold(in.mutex());
  try {
    if (runs.system == "gevent")
      run_hub(in);
    else
      run_greenlets(in);
    if (!in.threads.empty()) throw scenario_fault("the thread " + in.threads.begin()->first + " was not joined");
  } catch (const scenario_fault& fault) {
    if (in.threads.empty()) throw;
    // They wait for what will not come.
    std::cout << "  fault: " << fault.what() << std::endl;
    std::_Exit(1);
  }
}

}  // namespace

std::vector<std::string> run_scenario(const scenario& runs, stack_class stacks) {
  std::vector<std::string> transcript;
  std::thread([&] {
    try {
      run_here(runs, stacks, transcript);
    } catch (const scenario_fault& fault) {
      transcript.push_back(std::string("fault: ") + fault.what());
    }
  }).join();
  return transcript;
}

}  // namespace grove::conformance

int main(int count, char** arguments) {
  std::vector<std::string> words(arguments + 1, arguments + count);
  const bool sliced = !words.empty() && words.front() == "--sliced";
  if (sliced) words.erase(words.begin());
  if (words.empty()) {
    std::cerr << "usage: grove_scenarios [--sliced] FILE [SCENARIO...]\n";
    return 2;
  }
  try {
    for (const auto& each : grove::conformance::read_scenarios(words.front())) {
      if (words.size() > 1 && std::find(words.begin() + 1, words.end(), each.name) == words.end()) continue;
      const auto stacks = sliced ? grove::stack_class::sliced : grove::stack_class::small;
      std::cout << "scenario " << each.name << std::endl;
      for (const std::string& line : grove::conformance::run_scenario(each, stacks))
        std::cout << "  " << line << std::endl;
    }
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
  return 0;
}
