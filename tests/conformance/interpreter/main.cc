// SPDX-License-Identifier: Apache-2.0

// Runs the scenarios of a file and prints their transcripts: grove_scenarios FILE [SCENARIO...]

#include <algorithm>
#include <iostream>

#include "tests/conformance/interpreter/interpreter.h"

namespace grove::conformance {

namespace {

void run_here(const scenario& runs, std::vector<std::string>& transcript) {
  world in(runs, transcript);
  add_core_verbs(in);
  const std::lock_guard hold(in.mutex());
  add_greenlet_verbs(in);
  in.run_main("main");
  in.recording = false;
  for (auto& [name, thread] : in.threads)
    throw scenario_fault("the thread " + name + " was not joined");
  while (!in.globals.empty()) {
    const value dropped = std::move(in.globals.begin()->second);
    in.globals.erase(in.globals.begin());
  }
}

}  // namespace

std::vector<std::string> run_scenario(const scenario& runs) {
  std::vector<std::string> transcript;
  std::thread([&] {
    try {
      run_here(runs, transcript);
    } catch (const scenario_fault& fault) {
      transcript.push_back(std::string("fault: ") + fault.what());
    }
  }).join();
  return transcript;
}

}  // namespace grove::conformance

int main(int count, char** arguments) {
  const std::vector<std::string> words(arguments + 1, arguments + count);
  if (words.empty()) {
    std::cerr << "usage: grove_scenarios FILE [SCENARIO...]\n";
    return 2;
  }
  try {
    for (const auto& each : grove::conformance::read_scenarios(words.front())) {
      if (words.size() > 1 && std::find(words.begin() + 1, words.end(), each.name) == words.end()) continue;
      std::cout << "scenario " << each.name << std::endl;
      for (const std::string& line : grove::conformance::run_scenario(each))
        std::cout << "  " << line << std::endl;
    }
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
  return 0;
}
