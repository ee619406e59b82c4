// SPDX-License-Identifier: Apache-2.0
#include "server/config.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <memory>
#include <string_view>
#include <system_error>

#include "base/build_commit.h"
#include "base/check.h"
#include "base/cli/command_line.h"
#include "base/cli/help_page.h"
#include "base/exit_codes.h"
#include "base/text.h"
#include "base/values.h"
#include "server/internal/config_file.h"
#include "server/internal/config_keys.h"
#include "server/service_links.h"

namespace grove::server {
namespace {

using command_line::did_you_mean;
using detail::config_key;
using detail::setting;

/// The one that ends with `end`, if there is one and no other: who leaves out "limits." has all the rest right.
std::string_view only_one_with_end(std::string_view end, const std::vector<std::string>& candidates) {
  std::string_view found;
  for (const std::string& candidate : candidates) {
    if (!candidate.ends_with(end)) continue;
    if (!found.empty()) return {};
    found = candidate;
  }
  return found;
}

/// For who is far from every name.
constexpr std::string_view where_names_are = "; grove-server --help lists them";

/// did_you_mean() for the name of a setting, in which the part before its last words may be missing.
std::string did_you_mean_setting(std::string_view word, const std::vector<std::string>& candidates) {
  if (std::string near = did_you_mean(word, candidates); !near.empty()) return near;
  // What the sources put before a setting's name is no part of it.
  std::string_view name = word;
  for (const std::string_view prefix : {"GROVE_", "--"}) {
    if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
  }
  constexpr std::size_t length_min = 4;  // A few letters are the end of many words.
  const std::string_view best = name.size() < length_min ? "" : only_one_with_end(name, candidates);
  return best.empty() ? std::string{where_names_are} : fmt::format("; did you mean {}?", best);
}

/// The names of all keys as one source spells them; `config` itself is in all but the file.
template <typename Spell>
std::vector<std::string> spelled(Spell spell) {
  std::vector<std::string> names;
  for (const config_key& key : detail::config_keys())
    names.push_back(spell(key.name));
  return names;
}

/// Variables that begin with GROVE_ and are not ours to judge: the CLI's, those of Grove's tests, and Kubernetes'.
bool belongs_to_others(const std::string& name, const std::string& value) {
  static constexpr std::array<std::string_view, 2> others = {"GROVE_SERVER", "GROVE_CACHE"};
  return std::ranges::find(others, name) != others.end() || name.starts_with("GROVE_TEST_") ||
         is_service_link(name, value);
}

class config_reader {
 public:
  explicit config_reader(const config_sources& sources) : sources_{sources} {
    app_.name("grove-server");
    app_.formatter(std::make_shared<command_line::help_page>());
    app_.set_version_flag("--version", "grove-server " + version_and_commit(), "Print the version and exit");
    app_.set_help_flag("--help,-h", "Print this help and exit");
    app_.allow_extras();
    app_.footer(
        "Each option is also a key of the file given by --config (TOML; limits.* is its\n"
        "table [limits]) and an environment variable: --drain-timeout is\n"
        "GROVE_DRAIN_TIMEOUT. Flags win over the environment, the environment wins over\n"
        "the file.\n\n"
        "Signals: TERM drains and exits 0 (a second one quits), INT quits at once and\n"
        "exits 0.\n"
        "Exit codes: 0 stopped as asked, 64 bad configuration, 70 internal failure,\n"
        "71 cannot listen, 72 crash loop.");
  }

  std::variant<server_config, config_exit> read() {
    if (auto stop = parse_flags()) return std::move(*stop);
    read_environment();
    read_file();
    // Lowest precedence first: what comes later overwrites.
    for (const auto* source : {&file_, &environment_, &flags_}) {
      for (const setting& one : *source)
        apply(one);
    }
    not_longer("restart-delay", "restart-delay-max");
    not_longer("limits.call-deadline", "limits.call-deadline-max");
    look_at_backdoor();
    if (!errors_.empty())
      return config_exit{exit_codes::bad_configuration, fmt::format("{}\n", fmt::join(errors_, "\n"))};
    return config_;
  }

 private:
  /// What is wrong may be any bytes, and goes to a terminal.
  void error(const std::string& text) { errors_.push_back("grove-server: " + printable(text)); }

  /// Returns what the process ends with when the flags alone decide that.
  std::optional<config_exit> parse_flags() {
    std::map<std::string_view, std::string> values;
    add_option("config", "FILE", "A file with these settings", {}, values);
    for (const config_key& key : detail::config_keys()) {
      std::string help{key.help};
      if (key.range.text != nullptr) help += fmt::format(" ({})", key.range.to_string());
      add_option(key.name, key.value, help, key.current(config_), values, !key.always_refused);
    }
    std::vector<std::string> arguments = sources_.arguments;
    for (const std::string& name : command_line::take_empty_values(app_, arguments))
      error(fmt::format("flag {}: there is no value behind its '='", name));
    try {
      // CLI11 takes the arguments from the back.
      std::ranges::reverse(arguments);
      app_.parse(std::move(arguments));
    } catch (const CLI::CallForHelp&) {
      return config_exit{exit_codes::done, app_.help()};
    } catch (const CLI::CallForVersion& call) {
      return config_exit{exit_codes::done, std::string{call.what()} + "\n"};
    } catch (const CLI::ParseError& failure) {
      error(command_line::complaint(app_, failure) + "; see --help");
    }
    report_extras(app_.remaining());
    for (const auto& [name, value] : values) {
      if (app_.count(fmt::format("--{}", name)) == 0) continue;
      flags_.push_back({std::string{name}, value, fmt::format("flag --{}", name)});
    }
    return std::nullopt;
  }

  void report_extras(const std::vector<std::string>& extras) {
    const auto flags = command_line::long_options(app_);
    bool follows_a_flag = false;
    for (const std::string& extra : extras) {
      if (extra.starts_with('-')) {
        const std::string word = extra.substr(0, extra.find('='));
        error(fmt::format("flag {}: there is no such option{}", word, did_you_mean_setting(word, flags)));
      } else if (!follows_a_flag) {
        // After an unknown flag it is most likely that flag's value, and one error is enough.
        error(fmt::format("unexpected argument '{}'; see --help", extra));
      }
      follows_a_flag = extra.starts_with('-') && extra.find('=') == std::string::npos;
    }
  }

  void add_option(std::string_view name, std::string_view value, const std::string& help, const std::string& standard,
                  std::map<std::string_view, std::string>& values, bool in_help = true) {
    auto* option = app_.add_option(fmt::format("--{}", name), values[name], help);
    option->type_name(standard.empty() ? std::string{value} : fmt::format("{} [{}]", value, standard));
    option->take_last();
    if (name.starts_with("limits.")) option->group("Limits");
    if (!in_help) option->group("");
  }

  void read_environment() {
    std::map<std::string, std::string_view> names{{detail::environment_name("config"), "config"}};
    for (const config_key& key : detail::config_keys())
      names.emplace(detail::environment_name(key.name), key.name);
    for (const auto& [name, value] : sources_.environment) {
      if (!name.starts_with("GROVE_")) continue;
      if (const auto known = names.find(name); known != names.end()) {
        environment_.push_back({std::string{known->second}, value, fmt::format("environment variable {}", name)});
      } else if (!belongs_to_others(name, value)) {
        auto known_names = spelled(detail::environment_name);
        known_names.push_back(detail::environment_name("config"));
        error(fmt::format("environment variable {}: there is no such setting{}", name,
                          did_you_mean_setting(name, known_names)));
      }
    }
  }

  void read_file() {
    const setting* const where = find_setting("config");
    if (where == nullptr) return;
    const auto text = sources_.read_file(where->value);
    if (!text) {
      const std::string why = std::generic_category().message(errno);
      return error(fmt::format("{}: the file '{}' cannot be read: {}", where->origin, where->value, why));
    }
    if (const auto failure = detail::read_settings(*text, where->value, file_)) return error(*failure);
    const auto names = spelled([](auto name) { return std::string{name}; });
    for (const setting& one : file_) {
      if (one.key.ends_with('.')) {
        judge_empty_table(one);
      } else if (one.key == "config") {
        error(fmt::format("{}: there is no setting 'config' in a file; it is the flag --config or {}", one.origin,
                          detail::environment_name(one.key)));
      } else if (detail::find_config_key(one.key) == nullptr) {
        error(fmt::format("{}: there is no setting '{}'{}", one.origin, one.key, did_you_mean_setting(one.key, names)));
      }
    }
  }

  /// A table of settings may have none of them.
  void judge_empty_table(const setting& table) {
    const auto within = [&table](const config_key& key) { return key.name.starts_with(table.key); };
    if (std::ranges::any_of(detail::config_keys(), within)) return;
    const std::string_view name = std::string_view{table.key}.substr(0, table.key.size() - 1);
    const bool is_setting = detail::find_config_key(name) != nullptr;
    if (is_setting)
      return error(fmt::format("{}: {} is a setting and no table; write {} = VALUE", table.origin, name, name));
    std::string near = did_you_mean(name, {"limits"});
    if (near.empty()) near = where_names_are;
    error(fmt::format("{}: there is no table '{}'{}", table.origin, name, near));
  }

  void apply(const setting& one) {
    const config_key* key = detail::find_config_key(one.key);
    if (key == nullptr) return;
    const auto wrong = key->set(*key, one.value, config_);
    if (!wrong) return;
    const bool names_key = one.origin.find(':') == std::string::npos;
    error(fmt::format("{}: {}'{}' {}", one.origin, names_key ? "" : one.key + " ", one.value, *wrong));
  }

  /// The last place where it was set, which is the one that counts; null: nobody did.
  [[nodiscard]] const setting* find_setting(std::string_view name) const {
    const setting* found = nullptr;
    for (const auto* source : {&file_, &environment_, &flags_}) {
      for (const setting& one : *source) {
        if (one.key == name) found = &one;
      }
    }
    return found;
  }

  /// Two durations that are right alone may be wrong together, wherever each was set. A default follows its maximum.
  void not_longer(std::string_view name, std::string_view longest) {
    const config_key& key = *detail::find_config_key(name);
    const std::string value = key.current(config_);
    const std::string bound = detail::find_config_key(longest)->current(config_);
    if (*parse_duration(value) <= *parse_duration(bound)) return;
    if (find_setting(name) == nullptr) {
      const auto wrong = key.set(key, bound, config_);
      GROVE_CHECK(!wrong);
      return;
    }
    error(fmt::format("{} ({}) must not be longer than {} ({})", name, value, longest, bound));
  }

  /// The folder of the back door is there, and workers may make their sockets in it: found out before they start.
  void look_at_backdoor() {
    if (config_.backdoor.empty() || !sources_.folder_trouble) return;
    const setting* const where = find_setting("backdoor");
    const auto trouble = sources_.folder_trouble(config_.backdoor);
    if (trouble) {
      error(fmt::format("{}: no sockets can be made in '{}': {}", where == nullptr ? "" : where->origin,
                        config_.backdoor, *trouble));
    }
  }

  const config_sources& sources_;
  CLI::App app_{"The Grove actor server: starts one worker process a core, watches, restarts and drains them."};
  server_config config_;
  std::vector<setting> flags_;
  std::vector<setting> environment_;
  std::vector<setting> file_;
  std::vector<std::string> errors_;
};

}  // namespace

std::variant<server_config, config_exit> read_config(const config_sources& sources) {
  return config_reader{sources}.read();
}

}  // namespace grove::server
