// SPDX-License-Identifier: Apache-2.0
#include "client/cli/completion_words.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <ostream>
#include <utility>

#include "base/cli/command_line.h"
#include "base/text.h"
#include "client/cli/plain_name.h"
#include "client/cli/system_calls.h"
#include "grove/v1/system.pb.h"

namespace grove::cli {
namespace {

/// With a start of this program and a page of a shell's script it stays below 300 ms.
constexpr std::chrono::milliseconds answer_within{250};

struct candidate {
  std::string word;
  std::string about;
};
using candidates = std::vector<candidate>;

/// The words before the cursor, understood: which command, which options with which values, which arguments.
class typed_line {
 public:
  typed_line(const CLI::App& app, const std::vector<std::string>& words) : app_{app}, command_{&app} {
    for (std::size_t i = 0; i + 1 < words.size(); ++i)
      take(words[i]);
    current_ = words.empty() ? "" : words.back();
  }

  [[nodiscard]] const CLI::App& command() const noexcept { return *command_; }
  [[nodiscard]] bool has_command() const noexcept { return command_ != &app_; }
  [[nodiscard]] const std::vector<std::string>& arguments() const noexcept { return arguments_; }
  [[nodiscard]] const std::string& current() const noexcept { return current_; }
  /// The option that waits for its value; empty: none does.
  [[nodiscard]] const std::string& open_option() const noexcept { return open_option_; }

  /// The value of an option, the last one given.
  [[nodiscard]] std::string value_of(const std::string& option) const {
    const auto found =
        std::find_if(values_.rbegin(), values_.rend(), [&](const auto& each) { return each.first == option; });
    return found == values_.rend() ? "" : found->second;
  }
  [[nodiscard]] bool was_given(const std::string& option) const {
    return std::ranges::any_of(values_, [&](const auto& each) { return each.first == option; });
  }

 private:
  void take(const std::string& word) {
    if (!open_option_.empty()) {
      values_.emplace_back(std::exchange(open_option_, {}), word);
    } else if (word.size() > 1 && word.starts_with('-')) {
      const auto equals = word.find('=');
      const std::string name = long_name_of(word.substr(0, equals));
      if (equals != std::string::npos) {
        values_.emplace_back(name, word.substr(equals + 1));
      } else if (takes_value(name)) {
        open_option_ = name;
      } else {
        values_.emplace_back(name, "");
      }
    } else if (!has_command()) {
      const CLI::App* const named = command_line::find_command(app_, word);
      if (named != nullptr) command_ = named;
    } else {
      arguments_.push_back(word);
    }
  }

  [[nodiscard]] const CLI::Option* find(const std::string& name) const {
    // In front of a command stand options that all commands have.
    return (has_command() ? command_ : command_line::find_command(app_, "call"))->get_option_no_throw(name);
  }
  [[nodiscard]] std::string long_name_of(const std::string& name) const {
    const CLI::Option* const option = find(name);
    return option == nullptr || option->get_lnames().empty() ? name : "--" + option->get_lnames().front();
  }
  [[nodiscard]] bool takes_value(const std::string& name) const {
    const CLI::Option* const option = find(name);
    return option != nullptr && option->get_type_size() != 0;
  }

  const CLI::App& app_;
  const CLI::App* command_;
  std::vector<std::string> arguments_;
  std::vector<std::pair<std::string, std::string>> values_;
  std::string open_option_;
  std::string current_;
};

[[nodiscard]] candidates commands_of(const CLI::App& app) {
  candidates found;
  for (const CLI::App* command : app.get_subcommands({})) {
    if (!command->get_group().empty()) found.push_back({command->get_name(), command->get_description()});
  }
  return found;
}

[[nodiscard]] candidates options_of(const typed_line& line) {
  candidates found;
  for (const CLI::Option* option : line.command().get_options()) {
    if (option->get_group().empty() || option->get_lnames().empty()) continue;
    const std::string name = "--" + option->get_lnames().front();
    const bool again = option->get_expected_max() > 1 || name == line.current();
    if (again || !line.was_given(name)) found.push_back({name, option->get_description()});
  }
  return found;
}

/// Takes out what is no plain name: a shell would put it on the command line as it stands, `$(reboot)` as well.
void keep_plain_names(v1::SystemTypesResponse& types) {
  const auto not_plain = [](const auto& each) { return !is_plain_name(each.name()); };
  auto& all = *types.mutable_types();
  all.erase(std::remove_if(all.begin(), all.end(), not_plain), all.end());
  for (v1::ActorType& type : all) {
    auto& methods = *type.mutable_methods();
    methods.erase(std::remove_if(methods.begin(), methods.end(), not_plain), methods.end());
  }
}

[[nodiscard]] v1::SystemTypesResponse types_of(const typed_line& line, const environment& where) {
  common_options common;
  common.server = line.value_of("--server");
  common.timeout = answer_within;
  try {
    client server{connection_of(common, where)};
    call_options once = call_options_of(common);
    once.retry = false;
    auto types = ask_system<v1::SystemTypesResponse>(server, "Types", v1::SystemTypesRequest{}, once);
    keep_plain_names(types);
    return types;
  } catch (const std::exception&) {
    return {};
  }
}

using wanted_methods = std::function<bool(const v1::ActorMethod&)>;

[[nodiscard]] candidates type_names(const v1::SystemTypesResponse& types, const wanted_methods& wanted,
                                    const std::string& ending) {
  candidates found;
  for (const v1::ActorType& type : types.types()) {
    std::string methods;
    for (const v1::ActorMethod& method : type.methods()) {
      if (wanted(method)) methods.append(methods.empty() ? "" : ", ").append(method.name());
    }
    if (!methods.empty()) found.push_back({type.name() + ending, methods});
  }
  return found;
}

[[nodiscard]] candidates method_names(const v1::SystemTypesResponse& types, const std::string& type_name,
                                      const wanted_methods& wanted) {
  candidates found;
  for (const v1::ActorType& type : types.types()) {
    if (type.name() != type_name) continue;
    for (const v1::ActorMethod& method : type.methods()) {
      if (wanted(method)) found.push_back({method.name(), method.request()});
    }
  }
  return found;
}

[[nodiscard]] candidates values_of(const typed_line& line, const std::string& option, const environment& where) {
  const auto answers_once = [](const v1::ActorMethod& method) { return !method.streaming(); };
  if (option == "--scenario") return {{"concurrency", ""}, {"parallelism", ""}};
  if (option == "--type") return type_names(types_of(line, where), answers_once, "");
  if (option == "--method") {
    const std::string type = line.value_of("--type");
    return method_names(types_of(line, where), type.empty() ? "grove.Counter" : type, answers_once);
  }
  return {};
}

[[nodiscard]] candidates arguments_of(const typed_line& line, const environment& where) {
  const std::string& name = line.command().get_name();
  const std::vector<std::string>& before = line.arguments();
  if (name == "completion" && before.empty()) return {{"bash", ""}, {"zsh", ""}, {"fish", ""}};
  if (name == "describe") {
    const auto any = [](const v1::ActorMethod&) { return true; };
    if (before.empty()) return type_names(types_of(line, where), any, "");
    if (before.size() == 1) return method_names(types_of(line, where), before.front(), any);
  }
  if (name != "call" && name != "tell" && name != "watch") return {};
  const auto fitting = [watches = name == "watch"](const v1::ActorMethod& method) {
    return method.streaming() == watches;
  };
  // Which keys there are nobody knows: an actor is there as soon as it is called.
  if (before.empty() && line.current().find('/') == std::string::npos) {
    return type_names(types_of(line, where), fitting, "/");
  }
  if (before.size() == 1) {
    return method_names(types_of(line, where), before.front().substr(0, before.front().find('/')), fitting);
  }
  return {};
}

[[nodiscard]] candidates all_candidates(const typed_line& line, const CLI::App& app, const environment& where) {
  if (!line.open_option().empty()) return values_of(line, line.open_option(), where);
  const std::string& current = line.current();
  const auto equals = current.find('=');
  if (current.starts_with("--") && equals != std::string::npos) {
    const std::string option = current.substr(0, equals);
    candidates found = values_of(line, option, where);
    for (candidate& each : found)
      each.word.insert(0, option + "=");
    return found;
  }
  if (current.starts_with('-')) return options_of(line);
  if (!line.has_command()) return commands_of(app);
  return arguments_of(line, where);
}

}  // namespace

std::vector<std::string> split_line(std::string_view line) {
  std::vector<std::string> words;
  std::optional<std::string> word;
  char quote = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote == 0 && (c == ' ' || c == '\t' || c == '\n')) {
      if (word) words.push_back(std::move(*word));
      word.reset();
      continue;
    }
    if (!word) word.emplace();
    if (c == quote) {
      quote = 0;
    } else if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
    } else if (c == '\\' && quote != '\'' && i + 1 < line.size()) {
      *word += line[++i];
    } else {
      *word += c;
    }
  }
  words.push_back(word.value_or(""));
  return words;
}

void print_candidates(const CLI::App& app, const std::vector<std::string>& words, const environment& where) {
  const typed_line line{app, words};
  for (const candidate& each : all_candidates(line, app, where)) {
    if (!each.word.starts_with(line.current())) continue;
    where.out << each.word << '\t' << printable(each.about) << '\n';
  }
}

}  // namespace grove::cli
