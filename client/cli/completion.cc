// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>
#include <vector>

#include "client/cli/commands.h"

namespace grove::cli {
namespace {

/// A command's words for a shell, taken from what the command line itself knows.
struct words {
  std::string name;
  std::string help;
  std::vector<std::pair<std::string, std::string>> options;  ///< Each with its help.
};

[[nodiscard]] words words_of(const CLI::App& app) {
  words found{app.get_name(), app.get_description(), {}};
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames())
      found.options.emplace_back("--" + name, option->get_description());
  }
  return found;
}

[[nodiscard]] std::vector<words> commands_of(const CLI::App& app) {
  std::vector<words> all;
  for (const CLI::App* command : app.get_subcommands({}))
    all.push_back(words_of(*command));
  return all;
}

[[nodiscard]] std::string joined(const words& of) {
  std::string text;
  for (const auto& [name, help] : of.options)
    text.append(text.empty() ? "" : " ").append(name);
  return text;
}

/// Within single quotes of a shell.
[[nodiscard]] std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

void bash(const CLI::App& app, std::ostream& out) {
  std::string names;
  for (const words& each : commands_of(app))
    names += each.name + " ";
  out << "# bash completion for grove. Use: source <(grove completion bash)\n"
         "_grove() {\n"
         "  local word=\"${COMP_WORDS[COMP_CWORD]}\" words=\"\"\n"
         "  COMPREPLY=()\n"
         "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
      << "    words=\"" << names << joined(words_of(app)) << "\"\n"
      << "  else\n"
         "    case \"${COMP_WORDS[1]}\" in\n";
  for (const words& each : commands_of(app)) {
    out << "      " << each.name << ") words=\"" << (each.name == "completion" ? "bash zsh fish " : "") << joined(each)
        << "\" ;;\n";
  }
  out << "    esac\n"
         "  fi\n"
         "  while IFS= read -r word; do COMPREPLY+=(\"$word\"); done < <(compgen -W \"$words\" -- "
         "\"$word\")\n"
         "}\n"
         "complete -F _grove grove\n";
}

void zsh(const CLI::App& app, std::ostream& out) {
  out << "#compdef grove\n"
         "# zsh completion for grove. Use: source <(grove completion zsh)\n"
         "_grove() {\n"
         "  local -a words_here\n"
         "  if (( CURRENT == 2 )); then\n"
         "    words_here=(\n";
  const auto escaped = [](const std::string& text) {
    std::string safe;
    for (const char c : text) {
      if (c == ':') safe += '\\';
      safe += c;
    }
    return safe;
  };
  for (const words& each : commands_of(app))
    out << "      " << quoted(each.name + ":" + escaped(each.help)) << '\n';
  out << "    )\n"
         "    _describe command words_here\n"
         "    return\n"
         "  fi\n"
         "  case $words[2] in\n";
  for (const words& each : commands_of(app)) {
    out << "    " << each.name << ")\n      words_here=(";
    if (each.name == "completion") out << "bash zsh fish ";
    for (const auto& [name, help] : each.options)
      out << "\n        " << quoted(name + ":" + escaped(help));
    out << ") ;;\n";
  }
  out << "  esac\n"
         "  _describe argument words_here\n"
         "}\n"
         "compdef _grove grove\n";
}

void fish(const CLI::App& app, std::ostream& out) {
  out << "# fish completion for grove. Use: grove completion fish | source\n"
         "complete -c grove -f\n";
  for (const words& each : commands_of(app)) {
    out << "complete -c grove -n __fish_use_subcommand -a " << each.name << " -d " << quoted(each.help) << '\n';
    const std::string here = "complete -c grove -n '__fish_seen_subcommand_from " + each.name + "'";
    if (each.name == "completion") out << here << " -a 'bash zsh fish'\n";
    for (const auto& [name, help] : each.options) {
      out << here << " -l " << name.substr(2) << " -d " << quoted(help) << '\n';
    }
  }
}

}  // namespace

void add_completion(CLI::App& app, const environment& where) {
  auto* command = add_command(app, "completion", "Print the completion script of a shell");
  auto shell = std::make_shared<std::string>();
  command->add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}))
      ->type_name("");
  command->footer("Example:\n  source <(grove completion bash)");
  command->callback([shell, &app, &where] {
    if (*shell == "bash") bash(app, where.out);
    if (*shell == "zsh") zsh(app, where.out);
    if (*shell == "fish") fish(app, where.out);
  });
}

}  // namespace grove::cli
