// SPDX-License-Identifier: Apache-2.0
#include "client/cli/cli.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <memory>
#include <ostream>
#include <system_error>

#include "base/build_commit.h"
#include "base/cli/command_line.h"
#include "base/cli/help_page.h"
#include "base/exit_codes.h"
#include "client/cli/commands.h"
#include "client/cli/output.h"

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
      "An empty GROVE_SERVER counts as none.\n"
      "Exit codes: 0 done, 1 the call failed, 2 wrong usage, 3 server unreachable.");
  add_call(app, where);
  add_tell(app, where);
  add_watch(app, where);
  add_types(app, where);
  add_describe(app, where);
  add_ps(app, where);
  add_bench(app, where);
  add_completion(app, where);
  for (CLI::App* command : app.get_subcommands({}))
    command->group("Commands");
}

[[nodiscard]] std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) {
    if (!command->get_group().empty()) names.push_back(command->get_name());
  }
  return names;
}

/// Options that every command has may stand in front of it as well: `grove --server HOST:PORT ps`.
[[nodiscard]] std::vector<std::string> with_command_first(const std::vector<std::string>& arguments) {
  auto at = arguments.begin();
  while (at != arguments.end()) {
    const bool takes_value = *at == "--server" || *at == "--timeout";
    if (!takes_value && *at != "--json" && *at != "--compact" && !at->starts_with("--server=") &&
        !at->starts_with("--timeout="))
      break;
    at += takes_value && at + 1 != arguments.end() ? 2 : 1;
  }
  if (at == arguments.end()) return arguments;
  std::vector<std::string> moved{*at};
  moved.insert(moved.end(), arguments.begin(), at);
  moved.insert(moved.end(), at + 1, arguments.end());
  return moved;
}

[[nodiscard]] int wrong(const std::string& what, const std::string& command, const environment& where) {
  print_error(where.err, what, std::vector{"See grove " + command + (command.empty() ? "" : " ") + "--help"});
  return exit_codes::wrong_usage;
}

/// Reads the command line and does what it says.
[[nodiscard]] int run_command(std::vector<std::string> arguments, const environment& where) {
  CLI::App app{"Talks to a Grove server: calls its actors, shows what it can do, measures it.", "grove"};
  app.formatter(std::make_shared<command_line::help_page>());
  add_commands(app, where);
  if (answer_shell(app, arguments, where)) return exit_codes::done;
  const std::vector<std::string> commands = command_names(app);
  const std::string first = arguments.empty() ? "" : arguments.front();
  const CLI::App* command = &app;
  if (!arguments.empty() && !first.starts_with('-')) {
    command = command_line::find_command(app, first);
    if (command == nullptr) {
      return wrong("there is no command '" + first + "'" + command_line::did_you_mean(first, commands), "", where);
    }
  }
  const std::string name = command == &app ? "" : first;
  const auto empty = command_line::take_empty_values(*command, arguments);
  if (!empty.empty()) return wrong(empty.front() + ": there is no value behind its '='", name, where);
  try {
    std::ranges::reverse(arguments);
    app.parse(std::move(arguments));
    return exit_codes::done;
  } catch (const command_error& error) {
    if (*error.what() != 0) print_error(where.err, error.what(), error.advice());
    return error.code();
  } catch (const CLI::Success& shown) {
    return app.exit(shown, where.out, where.err);
  } catch (const CLI::ParseError& error) {
    return wrong(command_line::complaint(*command, error), name, where);
  }
}

}  // namespace

CLI::App* add_command(CLI::App& app, const std::string& name, const std::string& description) {
  return app.add_subcommand(name, description);
}

int run(const std::vector<std::string>& given, const environment& where) {
  const int code = run_command(with_command_first(given), where);
  const int trouble = flush_and_look(where.out);
  // A reader that has gone away has seen enough.
  if (trouble == 0 || trouble == EPIPE) return code;
  print_error(where.err, "cannot write the output: " + std::generic_category().message(trouble));
  return code == exit_codes::done ? exit_codes::output_lost : code;
}

}  // namespace grove::cli
