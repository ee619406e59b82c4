// SPDX-License-Identifier: Apache-2.0
#pragma once

// The command lines of Grove's programs are read by CLI11; what a person is told about them is said here, in one way for
// all of them.

#include <CLI/App.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace grove::command_line {

/// Takes out the arguments that give an option of `command` an empty value behind their equals sign, for which CLI11
/// would take the next argument instead (of a short option the sign itself), and returns the options: "--server" for
/// "--server=", "-c" for "-c=".
[[nodiscard]] std::vector<std::string> take_empty_values(const CLI::App& command, std::vector<std::string>& arguments);

/// What was wrong with the arguments, in one line without the parser's own words; `command` is the one that they were for.
[[nodiscard]] std::string complaint(const CLI::App& command, const CLI::ParseError& error);

/// "; did you mean --json?" when one of `candidates` is near `word`, else nothing.
[[nodiscard]] std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

/// Null when there is no such command.
[[nodiscard]] const CLI::App* find_command(const CLI::App& program, std::string_view name);

/// The long names of a command's options, with their dashes; those that its help does not show are left out.
[[nodiscard]] std::vector<std::string> long_options(const CLI::App& command);

}  // namespace grove::command_line
