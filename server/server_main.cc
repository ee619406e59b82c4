// SPDX-License-Identifier: Apache-2.0
// grove-server: reads its configuration and runs the supervisor.
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <variant>

#include "base/exit_codes.h"
#include "base/log.h"
#include "server/config.h"
#include "server/server_loop.h"

namespace {

std::optional<std::string> read_file(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  if (!file) return std::nullopt;
  std::string text{std::istreambuf_iterator<char>{file}, {}};
  // A directory opens but cannot be read.
  if (file.bad()) return std::nullopt;
  return text;
}

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
  from.read_file = read_file;
  return from;
}

}  // namespace

int main(int argc, char** argv) {
  const auto outcome = grove::server::read_config(sources(argc, argv));
  if (const auto* stop = std::get_if<grove::server::config_exit>(&outcome)) {
    std::fputs(stop->text.c_str(), stop->code == grove::exit_codes::done ? stdout : stderr);
    return stop->code;
  }
  const auto& config = std::get<grove::server::server_config>(outcome);
  return grove::server::run_server(config, grove::make_logger("supervisor", config.log_level));
}
