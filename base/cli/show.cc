// SPDX-License-Identifier: Apache-2.0
#include "base/cli/show.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "base/exit_codes.h"
#include "base/write_all.h"

namespace grove::command_line {

int show(std::string_view program, std::string_view text, int code) {
  ::signal(SIGPIPE, SIG_IGN);
  const int trouble = write_all(code == exit_codes::done ? STDOUT_FILENO : STDERR_FILENO, text);
  if (code != exit_codes::done || trouble == 0 || trouble == EPIPE) return code;
  std::string why{program};
  why.append(": cannot write the output: ").append(std::generic_category().message(trouble)).append("\n");
  static_cast<void>(write_all(STDERR_FILENO, why));
  return exit_codes::output_lost;
}

}  // namespace grove::command_line
