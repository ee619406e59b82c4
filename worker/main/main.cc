// SPDX-License-Identifier: Apache-2.0
// grove-worker: one of the processes that a supervisor (grove-server) starts. It gets everything that it needs from
// there: descriptors by their numbers (base/process/inherited_fds.h), the rest as a message over the control socket.

#include <linux/close_range.h>
#include <sched.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/build_commit.h"
#include "base/cli/command_line.h"
#include "base/cli/help_page.h"
#include "base/cli/show.h"
#include "base/exit_codes.h"
#include "base/last_words.h"
#include "base/log.h"
#include "base/process/control_packets.h"
#include "base/process/inherited_fds.h"
#include "base/standard_descriptors.h"
#include "base/text.h"
#include "base/uncaught.h"
#include "base/version.h"
#include "proto/wire/protobuf_log.h"
#include "worker/main/control_link.h"
#include "worker/main/crash_report.h"
#include "worker/main/orphan_guard.h"
#include "worker/main/process_signals.h"
#include "worker/main/worker_process.h"

namespace {

using namespace grove;

[[nodiscard]] bool is_socket(int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

void pin_to(std::uint32_t cpu, spdlog::logger& log) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (::sched_setaffinity(0, sizeof set, &set) != 0) log.warn("cannot run on core {} alone: the kernel refused", cpu);
}

/// What we inherited is ours: a program that a module starts must not keep the server's address when all of us are gone.
/// A kernel before 5.11 cannot say it in one call, and leaves it to whoever starts a program.
void keep_from_children() noexcept {
  ::syscall(SYS_close_range, inherited_fds::control, ~0U, CLOSE_RANGE_CLOEXEC);
}

[[nodiscard]] int fail(control_link& control, const std::string& reason, int exit_code) {
  const std::string shown = printable(reason);
  last_words{}.say("grove-worker: " + shown + "\n");
  v1::ControlMessage failed;
  failed.mutable_failed()->set_reason(shown);
  failed.mutable_failed()->set_exit_code(exit_code);
  control.send(failed);
  return exit_code;
}

[[nodiscard]] int serve(std::uint32_t slot) {
  control_link control{unique_fd{inherited_fds::control}};
  v1::ControlMessage hello;
  hello.mutable_hello()->set_pid(::getpid());
  hello.mutable_hello()->set_version(std::string{version});
  control.send(hello);
  try {
    guard_against_orphanhood(control.peer());
    const auto first = control.receive();
    if (!first) return exit_codes::supervisor_lost;
    if (!first->has_start() || first->start().slot() != slot) {
      return fail(control, "the supervisor's first message is no WorkerStart for slot " + std::to_string(slot),
                  exit_codes::internal_failure);
    }
    const v1::WorkerStart& sent = first->start();
    const process_log log =
        make_log("worker " + std::to_string(slot), sent.log_level().empty() ? "info" : sent.log_level());
    const protobuf_log protobuf{[&to = *log.logger](bool is_error, std::string_view text) {
      to.log(is_error ? spdlog::level::err : spdlog::level::warn, "protobuf: {}", text);
    }};
    if (sent.has_cpu()) pin_to(sent.cpu(), *log.logger);
    shared_segment segment = shared_segment::open(unique_fd{inherited_fds::shared_memory});
    const crash_report report{segment.slot(slot), *log.lines};
    const worker_start start{.slot = slot,
                             .generation = sent.generation(),
                             .workers = sent.workers(),
                             .limits = limits_from(sent.limits()),
                             .stall_after = std::chrono::milliseconds{sent.stall_after_ms()},
                             .backdoor = sent.backdoor()};
    worker_process self{start, std::move(segment), control, log};
    return self.run();
  } catch (const std::exception& e) {
    return fail(control, e.what(), exit_codes::internal_failure);
  }
}

/// What the command line says: the slot, or the words that the process ends with.
struct command {
  std::uint32_t slot = 0;
  std::string last_words;
  int exit_code = -1;  ///< Less than 0: it serves.
};

[[nodiscard]] command read_command(std::vector<std::string> arguments) {
  CLI::App app{"A worker process of grove-server, which starts it; it is of no use by hand."};
  app.name("grove-worker");
  app.formatter(std::make_shared<command_line::help_page>());
  app.set_help_flag("-h,--help", "Show this help");
  app.set_version_flag("--version", "grove-worker " + version_and_commit(), "Show the version");
  std::string slot;
  app.add_option("--slot", slot, "Which of the server's workers this is")->required()->type_name("N");
  const auto wrong = [](const std::string& what) {
    return command{0, "grove-worker: " + what + "\n", exit_codes::bad_configuration};
  };
  const auto empty = command_line::take_empty_values(app, arguments);
  if (!empty.empty()) return wrong(empty.front() + ": there is no value behind its '='");
  try {
    std::ranges::reverse(arguments);
    app.parse(std::move(arguments));
  } catch (const CLI::CallForHelp&) {
    return {0, app.help(), exit_codes::done};
  } catch (const CLI::CallForVersion& call) {
    return {0, std::string{call.what()} + "\n", exit_codes::done};
  } catch (const CLI::ParseError& error) {
    return wrong(command_line::complaint(app, error));
  }
  command read;
  const auto [end, error] = std::from_chars(slot.data(), slot.data() + slot.size(), read.slot);
  if (error != std::errc{} || end != slot.data() + slot.size()) return wrong("--slot: '" + slot + "' is no number");
  return read;
}

}  // namespace

int main(int argc, char** argv) {
  open_standard_descriptors(closed_output::discarded);
  install_uncaught_report();
  const command read = read_command({argv + 1, argv + argc});
  if (read.exit_code >= 0) return command_line::show("grove-worker", read.last_words, read.exit_code);
  if (!is_socket(inherited_fds::control)) {
    last_words{}.say("grove-worker: there is no supervisor at descriptor " + std::to_string(inherited_fds::control) +
                     "; start grove-server, which starts its workers\n");
    return exit_codes::bad_configuration;
  }
  leave_signals_to_supervisor();
  keep_from_children();
  return serve(read.slot);
}
