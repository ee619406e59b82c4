// SPDX-License-Identifier: Apache-2.0
#include "client/cli/options.h"

#include <CLI/CLI.hpp>
#include <cmath>

#include "base/values.h"

namespace grove::cli {

std::string long_name(const std::string& names) {
  return names.substr(names.find(',') + 1);
}

void add_text(CLI::App& command, const std::string& names, std::string& into, const std::string& form,
              const std::string& help) {
  const auto take = [option = long_name(names), form, &into](const CLI::results_t& values) {
    if (values.back().empty()) throw wrong_usage(option + " needs a value: " + form);
    into = values.back();
    return true;
  };
  command.add_option(names, take, help)->type_name(form);
}

void add_positive(CLI::App& command, const std::string& names, double& into, const std::string& help) {
  const auto take = [option = long_name(names), &into](const CLI::results_t& values) {
    const std::string& text = values.back();
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
    const bool number = error == std::errc{} && end == text.data() + text.size();
    if (!number || !(into > 0) || std::isinf(into)) {
      throw wrong_usage(option + ": '" + text + "' must be a number above 0");
    }
    return true;
  };
  command.add_option(names, take, help)->type_name("N");
}

void add_duration(CLI::App& command, const std::string& names, std::chrono::microseconds& into, least_duration least,
                  const std::string& help) {
  const auto take = [option = long_name(names), least, &into](const CLI::results_t& values) {
    const auto given = parse_duration(values.back());
    if (!given) {
      throw wrong_usage(option + ": '" + values.back() + "' must be " + std::string{duration_form});
    }
    if (least == least_duration::more_than_zero && given->count() == 0) {
      throw wrong_usage(option + ": it must be more than 0");
    }
    into = *given;
    return true;
  };
  command.add_option(names, take, help)->type_name("DURATION");
}

void add_common_options(CLI::App& command, common_options& into, prints what, const std::string& standard,
                        const std::string& timeout_does) {
  add_text(command, "--server", into.server, "HOST:PORT", "The server (default: GROVE_SERVER, else 127.0.0.1:7400)");
  add_duration(command, "--timeout", into.timeout, least_duration::more_than_zero,
               timeout_does + " (default: " + standard + ")");
  if (what == prints::table) command.add_flag("--json", into.json, "Print JSON");
  if (what != prints::nothing)
    command.add_flag("--compact", into.compact, "Print JSON on one line, on a terminal, too");
}

}  // namespace grove::cli
