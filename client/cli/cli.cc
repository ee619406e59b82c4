// SPDX-License-Identifier: Apache-2.0
#include "client/cli/cli.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <ostream>

#include "base/build_commit.h"
#include "base/exit_codes.h"
#include "base/nearest.h"
#include "client/cli/commands.h"

namespace grove::cli {
namespace {

void add_commands(CLI::App& app, const environment& where) {
  app.set_help_flag("-h,--help", "Show this help");
  app.set_version_flag("--version", "grove " + version_and_commit(), "Show the version");
  app.require_subcommand(1);
  app.footer(
      "Examples:\n"
      "  grove call grove.Counter/visits Add '{\"by\":2}'\n"
      "  grove watch grove.Topic/news Subscribe\n"
      "  grove types\n"
      "  grove COMMAND --help\n"
      "\n"
      "The server is --server HOST:PORT, else GROVE_SERVER, else 127.0.0.1:7400.\n"
      "Exit codes: 0 done, 1 the call failed, 2 wrong usage, 3 server unreachable.");
  add_call(app, where);
  add_tell(app, where);
  add_watch(app, where);
  add_types(app, where);
  add_describe(app, where);
  add_ps(app, where);
  add_bench(app, where);
  add_completion(app, where);
}

[[nodiscard]] std::string did_you_mean(std::string_view word, const std::vector<std::string>& names) {
  const std::vector<std::string_view> views{names.begin(), names.end()};
  const std::string_view near = nearest(word, views);
  return near.empty() ? "" : "; did you mean " + std::string{near} + "?";
}

[[nodiscard]] std::vector<std::string> commands_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({}))
    names.push_back(command->get_name());
  return names;
}

[[nodiscard]] std::vector<std::string> options_of(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames())
      names.push_back("--" + name);
  }
  return names;
}

/// What was wrong with the arguments, in one line.
[[nodiscard]] std::string complaint(const CLI::App& app, const CLI::ParseError& error) {
  const auto chosen = app.get_subcommands();
  const CLI::App& command = chosen.empty() ? app : *chosen.front();
  std::string text = error.what();
  if (error.get_exit_code() != static_cast<int>(CLI::ExitCodes::ExtrasError)) return text;
  // "The following argument was not expected: X", or "The following arguments were not expected: X Y".
  const auto colon = text.find(": ");
  const std::string extra =
      colon == std::string::npos ? "" : text.substr(colon + 2, text.find(' ', colon + 2) - colon - 2);
  if (!extra.starts_with('-')) return "one argument too many: " + extra;
  const std::string name = extra.substr(0, extra.find('='));
  return "there is no option " + name + did_you_mean(name, options_of(command));
}

/// Options that every command has may stand in front of it as well: `grove --server HOST:PORT ps`.
[[nodiscard]] std::vector<std::string> with_command_first(const std::vector<std::string>& arguments) {
  auto at = arguments.begin();
  while (at != arguments.end()) {
    const bool takes_value = *at == "--server" || *at == "--timeout";
    if (!takes_value && *at != "--json" && !at->starts_with("--server=") && !at->starts_with("--timeout=")) break;
    at += takes_value && at + 1 != arguments.end() ? 2 : 1;
  }
  if (at == arguments.end()) return arguments;
  std::vector<std::string> moved{*at};
  moved.insert(moved.end(), arguments.begin(), at);
  moved.insert(moved.end(), at + 1, arguments.end());
  return moved;
}

}  // namespace

CLI::App* add_command(CLI::App& app, const std::string& name, const std::string& description) {
  return app.add_subcommand(name, description);
}

void add_common_options(CLI::App& command, common_options& into, prints what) {
  command.add_option("--server", into.server, "The server (default: GROVE_SERVER, else 127.0.0.1:7400)")
      ->type_name("HOST:PORT");
  command.add_option("--timeout", into.timeout, "How long to wait in all, for example 500ms or 10s (default 30s)")
      ->type_name("TIME");
  if (what == prints::table) command.add_flag("--json", into.json, "Print JSON");
}

int run(const std::vector<std::string>& given, const environment& where) {
  const std::vector<std::string> arguments = with_command_first(given);
  CLI::App app{"Talks to a Grove server: calls its actors, shows what it can do, measures it.", "grove"};
  add_commands(app, where);
  const std::vector<std::string> commands = commands_of(app);
  if (!arguments.empty() && !arguments.front().starts_with('-') &&
      std::find(commands.begin(), commands.end(), arguments.front()) == commands.end()) {
    where.err << "grove: there is no command " << arguments.front() << did_you_mean(arguments.front(), commands)
              << "\nSee grove --help\n";
    return exit_codes::wrong_usage;
  }
  try {
    app.parse(std::vector<std::string>{arguments.rbegin(), arguments.rend()});
    return exit_codes::done;
  } catch (const command_error& error) {
    if (*error.what() != 0) where.err << "grove: " << error.what() << '\n';
    return error.code();
  } catch (const CLI::Success& shown) {
    return app.exit(shown, where.out, where.err);
  } catch (const CLI::ParseError& error) {
    const auto chosen = app.get_subcommands();
    where.err << "grove: " << complaint(app, error) << "\nSee grove "
              << (chosen.empty() ? "" : chosen.front()->get_name() + " ") << "--help\n";
    return exit_codes::wrong_usage;
  }
}

}  // namespace grove::cli
