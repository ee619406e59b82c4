// SPDX-License-Identifier: Apache-2.0
// grove-server: reads its configuration and runs the supervisor.
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <variant>

#include "base/cli/show.h"
#include "base/exit_codes.h"
#include "base/last_words.h"
#include "base/log.h"
#include "base/standard_descriptors.h"
#include "base/uncaught.h"
#include "server/config.h"
#include "server/server_loop.h"

namespace {

grove::server::config_sources sources(int argc, char** argv) {
  grove::server::config_sources from;
  for (int i = 1; i < argc; ++i)
    from.arguments.emplace_back(argv[i]);
  for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text{*entry};
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    from.environment.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  from.read_file = grove::server::read_text_file;
  from.folder_trouble = grove::server::folder_trouble;
  return from;
}

}  // namespace

int main(int argc, char** argv) {
  grove::open_standard_descriptors(grove::closed_output::discarded);
  grove::install_uncaught_report();
  const auto outcome = grove::server::read_config(sources(argc, argv));
  if (const auto* stop = std::get_if<grove::server::config_exit>(&outcome)) {
    return grove::command_line::show("grove-server", stop->text, stop->code);
  }
  const auto& config = std::get<grove::server::server_config>(outcome);
  try {
    return grove::server::run_server(config, grove::make_log("supervisor", config.log_level));
  } catch (const std::exception& failure) {
    grove::last_words{}.say("grove-server: " + std::string{failure.what()} + "\n");
    return grove::exit_codes::internal_failure;
  }
}
