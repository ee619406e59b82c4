// SPDX-License-Identifier: Apache-2.0
#include "base/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/nearest.h"

namespace grove::command_line {
namespace {

/// The option or argument that an error is about: the first word of the parser's text that is the name of one.
[[nodiscard]] const CLI::Option* subject_of(const CLI::App& command, std::string_view text) {
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find_first_of(": "));
    for (const CLI::Option* option : command.get_options()) {
      if (option->get_name() == word) return option;
    }
    text.remove_prefix(std::min(word.size() + 1, text.size()));
  }
  return nullptr;
}

/// An option that does not exist, whatever else is wrong: what follows from it would mislead. Empty: there is none.
[[nodiscard]] std::string unknown_option(const CLI::App& command, const std::vector<std::string>& extras) {
  const auto option =
      std::ranges::find_if(extras, [](const std::string& each) { return each.size() > 1 && each.starts_with('-'); });
  if (option == extras.end()) return {};
  const std::string name = option->substr(0, option->find('='));
  return "there is no option " + name + did_you_mean(name, long_options(command));
}

[[nodiscard]] std::string misused(const CLI::Option& option) {
  const std::string name = option.get_name();
  if (option.get_expected_max() == 0) return name + " takes no value";
  if (option.results().size() > 1) return name + " is given more than once";
  const std::string type = option.get_type_name();
  const std::string form = type.substr(0, type.find(' '));
  return name + " needs a value" + (form.empty() ? "" : ": " + form);
}

}  // namespace

std::vector<std::string> take_empty_values(const CLI::App& command, std::vector<std::string>& arguments) {
  std::vector<std::string> names;
  const auto end_of_options = std::ranges::find(arguments, "--");
  const auto gone = std::remove_if(arguments.begin(), end_of_options, [&](const std::string& argument) {
    const auto equals = argument.find('=');
    if (!argument.starts_with('-') || equals == std::string::npos || equals + 1 != argument.size()) return false;
    const std::string name = argument.substr(0, equals);
    if (command.get_option_no_throw(name) == nullptr) return false;
    names.push_back(name);
    return true;
  });
  arguments.erase(gone, end_of_options);
  return names;
}

std::string complaint(const CLI::App& command, const CLI::ParseError& error) {
  std::string text = error.what();
  const std::vector<std::string> extras = command.remaining(true);
  if (std::string unknown = unknown_option(command, extras); !unknown.empty()) return unknown;
  const CLI::Option* const about = subject_of(command, text);
  switch (static_cast<CLI::ExitCodes>(error.get_exit_code())) {
    case CLI::ExitCodes::ExtrasError:
      return extras.empty() ? text : "one argument too many: '" + extras.front() + "'";
    case CLI::ExitCodes::RequiredError:
      return about != nullptr ? about->get_name() + " is missing" : "a command is missing";
    case CLI::ExitCodes::ArgumentMismatch:
    case CLI::ExitCodes::ConversionError:
      return about != nullptr ? misused(*about) : text;
    default:
      return text;
  }
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  const std::vector<std::string_view> views{candidates.begin(), candidates.end()};
  const std::string_view near = nearest(word, views);
  return near.empty() ? std::string{} : "; did you mean " + std::string{near} + "?";
}

const CLI::App* find_command(const CLI::App& program, std::string_view name) {
  for (const CLI::App* command : program.get_subcommands({})) {
    if (command->get_name() == name) return command;
  }
  return nullptr;
}

std::vector<std::string> long_options(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_group().empty()) continue;
    for (const std::string& name : option->get_lnames())
      names.push_back("--" + name);
  }
  return names;
}

}  // namespace grove::command_line
