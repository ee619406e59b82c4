// SPDX-License-Identifier: Apache-2.0
#include <sys/ioctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/exit_codes.h"
#include "base/standard_descriptors.h"
#include "base/uncaught.h"
#include "client/cli/cli.h"
#include "client/cli/output.h"
#include "proto/wire/protobuf_log.h"

namespace {

[[nodiscard]] bool wants_colour(bool terminal) {
  const char* no_colour = std::getenv("NO_COLOR");
  const char* kind = std::getenv("TERM");
  return terminal && (no_colour == nullptr || *no_colour == 0) && kind != nullptr && std::string_view{kind} != "dumb";
}

[[nodiscard]] int columns_of(int fd) {
  winsize size{};
  return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

[[nodiscard]] std::vector<std::string> names_of_variables() {
  std::vector<std::string> names;
  for (char** variable = ::environ; variable != nullptr && *variable != nullptr; ++variable) {
    const std::string_view text{*variable};
    names.emplace_back(text.substr(0, text.find('=')));
  }
  return names;
}

}  // namespace

int main(int argc, char** argv) {
  grove::open_standard_descriptors(grove::closed_output::refused);
  grove::install_uncaught_report();
  // A reader that goes away is met as a write error.
  std::signal(SIGPIPE, SIG_IGN);
  // A message that protobuf cannot read is an error of the command, which says so in its own words.
  const grove::protobuf_log silent{[](bool, std::string_view) {}};
  const bool out_is_terminal = isatty(STDOUT_FILENO) == 1;
  const char* server = std::getenv("GROVE_SERVER");
  grove::cli::descriptor_output to_out{STDOUT_FILENO};
  std::ostream out{&to_out};
  const grove::cli::environment where{
      .in = std::cin,
      .out = out,
      .err = std::cerr,
      .out_is_terminal = out_is_terminal,
      .err_is_terminal = isatty(STDERR_FILENO) == 1,
      .colour = wants_colour(out_is_terminal),
      .columns = columns_of(STDERR_FILENO),
      .server_variable = server != nullptr ? std::optional<std::string>{server} : std::nullopt,
      .variable_names = names_of_variables(),
  };
  try {
    return grove::cli::run({argv + 1, argv + argc}, where);
  } catch (const std::exception& error) {
    grove::cli::print_error(std::cerr, error.what());
    return grove::exit_codes::call_failed;
  }
}
