// SPDX-License-Identifier: Apache-2.0
// Stands for the worker program in tests of the supervisor: it speaks the control protocol and serves nobody. What it
// does beyond that is in GROVE_TEST_WORKER, or for one slot in GROVE_TEST_WORKER_<slot>:
//
//   ready       says ready, beats, drains when it is told to (the default)
//   exit:N      exits with N before it is ready
//   exit_alone:N  the same, as soon as all others serve
//   fail        says why it cannot serve and exits with 64
//   silent      never gets ready
//   hang        gets ready and then does nothing more, "while running grove.Echo/x Spin"
//   deaf        hangs and ignores SIGABRT
//   stubborn    ignores orders to drain and to quit
//   version     is of another version
//   close       gets ready and closes its control socket
//
// "MODE@G" does so in generation G of the slot only. Whatever the mode, it first checks that it was spawned as the
// contract says, and fails with what is wrong.
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "base/exit_codes.h"
#include "base/process/inherited_fds.h"
#include "base/process/shared_segment.h"
#include "base/version.h"
#include "grove/v1/control.pb.h"

namespace {

using grove::shared_segment;
namespace fds = grove::inherited_fds;

void say(const grove::v1::ControlMessage& message) {
  const std::string bytes = message.SerializeAsString();
  if (::send(fds::control, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0)
    std::_Exit(grove::exit_codes::supervisor_lost);
}

/// The next message; empty when none came within `wait_ms`. The end of the stream ends the process.
std::optional<grove::v1::ControlMessage> listen(int wait_ms) {
  pollfd poller{fds::control, POLLIN, 0};
  if (::poll(&poller, 1, wait_ms) <= 0) return std::nullopt;
  char bytes[4096];
  const ssize_t size = ::recv(fds::control, bytes, sizeof bytes, 0);
  if (size <= 0) std::_Exit(grove::exit_codes::supervisor_lost);
  grove::v1::ControlMessage message;
  message.ParseFromArray(bytes, static_cast<int>(size));
  return message;
}

int socket_type(int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 ? type : -1;
}

std::string target(int fd) {
  char text[256];
  const ssize_t size = ::readlink(fmt::format("/proc/self/fd/{}", fd).c_str(), text, sizeof text);
  return size < 0 ? std::string{"nothing"} : std::string(text, static_cast<std::size_t>(size));
}

std::string wrong_signals() {
  sigset_t mask;
  ::sigprocmask(SIG_BLOCK, nullptr, &mask);
  for (int signal = 1; signal < 32; ++signal) {
    struct sigaction action {};
    ::sigaction(signal, nullptr, &action);
    if (::sigismember(&mask, signal) == 1) return fmt::format("signal {} is blocked", signal);
    // Only an ignored signal survives exec; a handler is of this process itself (sanitizers install some).
    if (action.sa_handler == SIG_IGN) return fmt::format("signal {} is ignored", signal);
  }
  return {};
}

/// Everything that is open, apart from the standard three and what the contract says.
std::string unexpected_descriptors(std::uint32_t workers) {
  std::string text;
  DIR* folder = ::opendir("/proc/self/fd");
  while (const dirent* entry = ::readdir(folder)) {
    int fd = -1;
    const std::string_view name{entry->d_name};
    std::from_chars(name.data(), name.data() + name.size(), fd);
    if (fd < fds::wake(workers) || fd == ::dirfd(folder)) continue;
    text += fmt::format("{} ({}) ", fd, target(fd));
  }
  ::closedir(folder);
  return text;
}

/// What is not as the contract of the spawn says; empty when all is.
std::string broken_contract(std::uint32_t workers) {
  if (const auto text = unexpected_descriptors(workers); !text.empty()) return "descriptors leaked: " + text;
  if (socket_type(fds::control) != SOCK_SEQPACKET) return "the control socket is " + target(fds::control);
  int listening = 0;
  socklen_t size = sizeof listening;
  ::getsockopt(fds::listener, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size);
  if (listening == 0) return "the listener is " + target(fds::listener);
  for (std::uint32_t slot = 0; slot < workers; ++slot) {
    if (target(fds::wake(slot)) != "anon_inode:[eventfd]") return "a wake descriptor is " + target(fds::wake(slot));
    for (const int fd : {fds::handoff_receive(slot), fds::handoff_send(slot)}) {
      if (socket_type(fd) != SOCK_DGRAM) return "a hand-off socket is " + target(fd);
      if ((::fcntl(fd, F_GETFL) & O_NONBLOCK) == 0) return "a hand-off socket blocks";
    }
  }
  if (target(STDIN_FILENO) != "/dev/null") return "stdin is " + target(STDIN_FILENO);
  if (::getpgrp() != ::getpid()) return "it is in its supervisor's process group";
  return wrong_signals();
}

std::string mode_of(std::uint32_t slot, std::uint32_t generation) {
  const char* text = std::getenv(fmt::format("GROVE_TEST_WORKER_{}", slot).c_str());
  if (text == nullptr) text = std::getenv("GROVE_TEST_WORKER");
  std::string mode = text == nullptr ? "ready" : text;
  if (const auto at = mode.find('@'); at != std::string::npos) {
    if (mode.substr(at + 1) != std::to_string(generation)) return "ready";
    mode.resize(at);
  }
  return mode;
}

[[noreturn]] void fail(const std::string& reason) {
  grove::v1::ControlMessage message;
  message.mutable_failed()->set_reason(reason);
  message.mutable_failed()->set_exit_code(grove::exit_codes::bad_configuration);
  say(message);
  std::_Exit(grove::exit_codes::bad_configuration);
}

void wait_until_others_serve(const shared_segment& segment, std::uint32_t index) {
  const auto serves = [&](std::uint32_t slot) {
    const grove::worker_state state = segment.slot(slot).state.load();
    return state == grove::worker_state::up || state == grove::worker_state::draining;
  };
  for (std::uint32_t other = 0; other < segment.workers(); ++other) {
    while (other != index && !serves(other))
      (void)listen(20);
  }
}

[[noreturn]] void hang() {
  while (true)
    ::pause();
}

[[noreturn]] void serve(grove::worker_slot& slot, bool obeys) {
  while (true) {
    ++slot.heartbeat;
    const auto message = listen(20);
    if (!message || !obeys) continue;
    if (message->has_quit()) std::_Exit(0);
    if (!message->has_drain()) continue;
    grove::v1::ControlMessage drained;
    drained.mutable_drained();
    say(drained);
    std::_Exit(0);
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::uint32_t index = 0;
  if (argc != 3 || std::string_view{argv[1]} != "--slot") fail("usage: fake_worker --slot I");
  index = static_cast<std::uint32_t>(std::atoi(argv[2]));
  const shared_segment segment = shared_segment::open(grove::unique_fd{fds::shared_memory});
  if (const auto wrong = broken_contract(segment.workers()); !wrong.empty()) fail(wrong);
  grove::worker_slot& slot = segment.slot(index);
  const std::string mode = mode_of(index, slot.generation.load());
  if (mode.starts_with("exit_alone:")) wait_until_others_serve(segment, index);
  if (mode.starts_with("exit")) std::_Exit(std::atoi(mode.c_str() + mode.find(':') + 1));
  if (mode == "fail") fail("there is nothing to serve");

  grove::v1::ControlMessage hello;
  hello.mutable_hello()->set_pid(::getpid());
  hello.mutable_hello()->set_version(mode == "version" ? "9.9.9" : std::string{grove::version});
  say(hello);
  const auto start = listen(10'000);
  if (!start || !start->has_start() || start->start().slot() != index) fail("it was not told who it is");
  if (start->start().generation() != slot.generation.load()) fail("it was told another generation");
  if (mode == "silent") hang();
  if (mode == "deaf") ::signal(SIGABRT, SIG_IGN);

  grove::v1::ControlMessage ready;
  ready.mutable_ready()->set_actor_types(1);
  if (mode == "hang" || mode == "deaf") {
    slot.names.write("grove.Echo\tSpin");
    slot.flight.running(1, 0, 0, "x", 0, 0, 0);
  }
  say(ready);
  if (mode == "hang" || mode == "deaf") hang();
  if (mode == "close") {
    ::close(fds::control);
    hang();
  }
  serve(slot, mode != "stubborn");
}
