// SPDX-License-Identifier: Apache-2.0
#include "base/cli/help_page.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace grove::command_line {
namespace {

constexpr std::size_t columns = 80;
constexpr std::size_t left_columns = 30;

/// Text in lines of at most `width`, each after `indent` spaces but the first.
[[nodiscard]] std::string wrapped(std::string_view text, std::size_t width, std::size_t indent) {
  std::string out;
  while (text.size() > width) {
    std::size_t end = text.rfind(' ', width);
    if (end == std::string_view::npos) end = std::min(text.find(' '), text.size());
    out.append(text.substr(0, end)).append("\n").append(indent, ' ');
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out.append(text);
}

[[nodiscard]] std::string row(const std::string& name, const std::string& description) {
  std::string left = "  " + name;
  if (description.empty()) return left + "\n";
  if (left.size() + 2 > left_columns)
    left += "\n" + std::string(left_columns, ' ');
  else
    left.resize(left_columns, ' ');
  return left + wrapped(description, columns - left_columns - 1, left_columns) + "\n";
}

}  // namespace

help_page::help_page() {
  label("Positionals", "Arguments");
  label("SUBCOMMAND", "COMMAND");
}

std::string help_page::make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const {
  std::string page = CLI::Formatter::make_help(app, std::move(name), mode);
  for (auto at = page.find("\n\n\n"); at != std::string::npos; at = page.find("\n\n\n", at))
    page.erase(at, 1);
  page.erase(page.find_last_not_of('\n') + 1);
  return page + "\n";
}

std::string help_page::make_description(const CLI::App* app) const {
  return wrapped(app->get_description(), columns - 1, 0) + "\n\n";
}

std::string help_page::make_option(const CLI::Option* option, bool is_positional) const {
  return row(make_option_name(option, is_positional) + make_option_opts(option), make_option_desc(option));
}

std::string help_page::make_option_opts(const CLI::Option* option) const {
  const std::string type = option->get_type_size() == 0 ? "" : option->get_type_name();
  return type.empty() ? "" : " " + type;
}

std::string help_page::make_subcommand(const CLI::App* command) const {
  return row(command->get_name(), command->get_description());
}

}  // namespace grove::command_line
