// SPDX-License-Identifier: Apache-2.0
// The scripts know nothing themselves: they hand what is typed to `grove __complete`, and so cannot be out of date.
#include <CLI/App.hpp>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>

#include "client/cli/commands.h"
#include "client/cli/completion_words.h"

namespace grove::cli {
namespace {

// Bash cuts words at ':' and '=', and replaces only what stands behind the last of them.
constexpr std::string_view bash = R"(# bash completion for grove. Use: source <(grove completion bash)
_grove() {
  local LC_ALL=C line word
  line=${COMP_LINE:0:COMP_POINT}
  local whole=${line##*[[:space:]]} kept=""
  if [[ $COMP_WORDBREAKS == *:* && $whole == *:* ]]; then kept=${whole%"${whole##*:}"}; fi
  if [[ $COMP_WORDBREAKS == *=* && ${whole#"$kept"} == *=* ]]; then kept=${whole%"${whole##*=}"}; fi
  COMPREPLY=()
  while IFS=$'\t' read -r word _; do
    COMPREPLY+=("${word#"$kept"}")
  done < <("$1" __complete line "$line" 2>/dev/null)
  if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == */ ]]; then compopt -o nospace; fi
}
complete -F _grove grove
)";

constexpr std::string_view zsh = R"(#compdef grove
# zsh completion for grove. Use: source <(grove completion zsh)
_grove() {
  local line
  local -a ended open ended_about open_about
  for line in "${(@f)$("${words[1]}" __complete words "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}"; do
    if [[ -z $line ]]; then continue; fi
    if [[ ${line%%$'\t'*} == */ ]]; then
      open+=("${line%%$'\t'*}")
      open_about+=("${line/$'\t'/  }")
    else
      ended+=("${line%%$'\t'*}")
      ended_about+=("${line/$'\t'/  }")
    fi
  done
  if (( $#ended )); then compadd -l -d ended_about -a ended; fi
  if (( $#open )); then compadd -l -S '' -d open_about -a open; fi
}
if [[ $funcstack[1] == _grove ]]; then _grove; else compdef _grove grove; fi
)";

constexpr std::string_view fish = R"(# fish completion for grove. Use: grove completion fish | source
function __grove_complete
    set -l before (commandline -opc)
    set -l program $before[1]
    set -e before[1]
    $program __complete words $before (commandline -ct) 2>/dev/null
end
complete -c grove -f -a '(__grove_complete)'
)";

}  // namespace

void add_completion(CLI::App& app, const environment& where) {
  auto* command = add_command(app, "completion", "Print the completion script of a shell");
  auto shell = std::make_shared<std::string>();
  command->add_option("SHELL", *shell, "bash, zsh or fish")->required()->type_name("");
  command->footer(
      "Example:\n  source <(grove completion bash)\n"
      "Commands and options complete, and the names of types and methods of the server\n"
      "that the command line names, when it answers at once.");
  command->callback([shell, &where] {
    if (*shell == "bash")
      where.out << bash;
    else if (*shell == "zsh")
      where.out << zsh;
    else if (*shell == "fish")
      where.out << fish;
    else
      throw wrong_usage("SHELL: '" + *shell + "' must be bash, zsh or fish");
  });
}

bool answer_shell(const CLI::App& app, const std::vector<std::string>& arguments, const environment& where) {
  if (arguments.size() < 2 || arguments[0] != "__complete") return false;
  std::vector<std::string> words{arguments.begin() + 2, arguments.end()};
  if (arguments[1] == "line") {
    words = split_line(words.empty() ? "" : words.front());
    words.erase(words.begin());  // The program's own name.
  }
  print_candidates(app, words, where);
  return true;
}

}  // namespace grove::cli
