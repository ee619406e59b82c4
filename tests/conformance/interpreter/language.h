// SPDX-License-Identifier: Apache-2.0
#pragma once

// The language of the scenarios, read from its text; tests/conformance/README.md describes it.

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace grove::conformance {

struct word {
  enum class type { name, number, text };
  type is = type::name;
  std::string text;
  long number = 0;
};

/// One line and the lines that are indented below it.
struct step {
  std::size_t line = 0;
  std::string into;  ///< the variable that gets the result, if any
  std::vector<word> words;
  std::vector<std::pair<std::string, word>> named;
  std::vector<step> block;

  /// The first word, if it is a name.
  [[nodiscard]] const std::string& verb() const noexcept;
};

struct body {
  std::string name;
  std::vector<std::string> parameters;
  std::vector<step> steps;
};

struct scenario {
  std::string name;
  std::string system;  ///< greenlet, continulet or gevent
  std::vector<body> bodies;
  std::vector<step> steps;
};

/// Errors: scenario_fault with the line.
[[nodiscard]] std::vector<scenario> read_scenarios(const std::string& file);

}  // namespace grove::conformance
