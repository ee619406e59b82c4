// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/App.hpp>
#include <charconv>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <limits>
#include <string>

#include "client/cli/environment.h"

namespace grove::cli {

enum class prints : std::uint8_t {
  nothing,
  json_only,
  table,  ///< Or JSON, when --json is there.
};

/// Adds --server and --timeout; for a command that prints JSON --compact, and for one that prints a table --json. The
/// help says what a timeout does and what holds without one.
void add_common_options(CLI::App& command, common_options& into, prints what, const std::string& standard = "30s",
                        const std::string& timeout_does = "How long to wait in all, for example 500ms or 10s");

/// Adds an option for a text, which must not be empty.
void add_text(CLI::App& command, const std::string& names, std::string& into, const std::string& form,
              const std::string& help);

/// A number of an option, and nothing else.
/// Errors: wrong_usage that names the option and what would have been right.
template <class Number>
[[nodiscard]] Number number_of(const std::string& text, const std::string& option, Number least, Number most) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  if (whole && number >= least && number <= most) return number;
  std::string range = " from " + std::to_string(least);
  if (most != std::numeric_limits<Number>::max()) range += " to " + std::to_string(most);
  throw wrong_usage(option + ": '" + text + "' must be a whole number" + range);
}

/// The long name of an option, of "-c,--connections".
[[nodiscard]] std::string long_name(const std::string& names);

/// Adds an option for a whole number from `least` to `most`.
template <std::unsigned_integral Number>
void add_number(CLI::App& command, const std::string& names, Number& into, Number least, Number most,
                const std::string& help) {
  const auto take = [option = long_name(names), least, most, &into](const CLI::results_t& values) {
    into = number_of(values.back(), option, least, most);
    return true;
  };
  command.add_option(names, take, help)->type_name("N");
}

/// Adds an option for a number above 0, which may have a fraction.
void add_positive(CLI::App& command, const std::string& names, double& into, const std::string& help);

/// Adds an option for a duration of more than nothing, or where `least` says so for one that may be 0.
enum class least_duration : bool { zero, more_than_zero };
void add_duration(CLI::App& command, const std::string& names, std::chrono::microseconds& into, least_duration least,
                  const std::string& help);

}  // namespace grove::cli
