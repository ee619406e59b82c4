// SPDX-License-Identifier: Apache-2.0
#include "server/exit_status.h"

#include <fmt/format.h>
#include <signal.h>
#include <string.h>

#include "base/exit_codes.h"

namespace grove::server {
namespace {

std::string_view meaning(int code) noexcept {
  switch (code) {
    case exit_codes::done:
      return "done";
    case exit_codes::bad_configuration:
      return "bad configuration";
    case exit_codes::internal_failure:
      return "internal failure";
    case exit_codes::cannot_listen:
      return "cannot listen";
    case exit_codes::crash_loop:
      return "crash loop";
    case exit_codes::supervisor_lost:
      return "supervisor lost";
    case 127:
      return "the program or one of its libraries could not be loaded";
    default:
      return {};
  }
}

}  // namespace

std::string signal_name(int signal) {
  const char* name = ::sigabbrev_np(signal);
  return name != nullptr ? fmt::format("SIG{}", name) : fmt::format("signal {}", signal);
}

std::string describe(const exit_status& status) {
  if (status.how == exit_status::kind::signalled) {
    return fmt::format("died of signal {} ({}){}", status.value, signal_name(status.value),
                       status.dumped_core ? ", core dumped" : "");
  }
  const std::string_view text = meaning(status.value);
  return text.empty() ? fmt::format("exited with {}", status.value)
                      : fmt::format("exited with {} ({})", status.value, text);
}

std::string_view hint(const exit_status& status, bool by_us) noexcept {
  if (status.how == exit_status::kind::exited || by_us) return {};
  switch (status.value) {
    case SIGKILL:
      return "somebody sent it, or the kernel ran out of memory: dmesg tells";
    case SIGSEGV:
      return "a bad memory access or a stack overflow: its report is above";
    case SIGBUS:
      return "memory behind a mapping was not there: its report is above";
    case SIGABRT:
      return "a check failed, or nothing caught an exception: its report is above";
    case SIGILL:
      return "an instruction that its processor does not have, or a trap in the code: its report is above";
    case SIGFPE:
      return "an integer division by zero: its report is above";
    case SIGSYS:
      return "a seccomp filter refused a system call";
    case SIGXCPU:
      return "its CPU time limit is used up";
    default:
      return {};
  }
}

bool is_final(const exit_status& status) noexcept {
  return status.how == exit_status::kind::exited && status.value == exit_codes::bad_configuration;
}

}  // namespace grove::server
