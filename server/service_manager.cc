// SPDX-License-Identifier: Apache-2.0
#include "server/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/values.h"

namespace grove::server {
namespace {

/// Takes a variable out of the environment.
std::string take(const char* name) {
  const char* const value = std::getenv(name);
  std::string taken = value == nullptr ? "" : value;
  ::unsetenv(name);
  return taken;
}

/// A datagram socket that is connected to `address`: a path, or a name in the abstract namespace behind an @.
unique_fd connect_to(const std::string& address) {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (address.size() < 2 || address.size() >= sizeof to.sun_path || (address[0] != '/' && address[0] != '@')) return {};
  std::memcpy(to.sun_path, address.data(), address.size());
  if (address[0] == '@') to.sun_path[0] = '\0';
  unique_fd made{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size());
  if (!made || ::connect(made.get(), reinterpret_cast<const sockaddr*>(&to), length) != 0) return {};
  return made;
}

}  // namespace

service_manager::service_manager(const std::string& address, std::optional<std::chrono::microseconds> watchdog)
    : socket_{connect_to(address)}, watchdog_{watchdog} {}

service_manager service_manager::from_environment() {
  const std::string address = take("NOTIFY_SOCKET");
  const auto microseconds = parse_integer(take("WATCHDOG_USEC"));
  const std::string pid = take("WATCHDOG_PID");
  std::optional<std::chrono::microseconds> watchdog;
  // Of another process when the pid is another's: a shell in between hands its environment on.
  if (microseconds && *microseconds > 0 && (pid.empty() || parse_integer(pid) == ::getpid())) {
    watchdog = std::chrono::microseconds{*microseconds};
  }
  return {address, watchdog};
}

void service_manager::ready() {
  if (std::exchange(told_ready_, true)) return;
  tell("READY=1\n");
}

void service_manager::status(std::string_view text) {
  if (status_ == text) return;
  status_ = text;
  tell("STATUS=" + status_ + "\n");
}

void service_manager::stopping(std::chrono::microseconds at_most) {
  if (std::exchange(told_stopping_, true)) return;
  tell("STOPPING=1\nEXTEND_TIMEOUT_USEC=" + std::to_string(at_most.count()) + "\n");
}

void service_manager::alive(steady_time now) {
  if (!watchdog_ || (told_alive_at_ && now - *told_alive_at_ < *watchdog_ / 2)) return;
  told_alive_at_ = now;
  tell("WATCHDOG=1\n");
}

void service_manager::tell(std::string_view lines) const noexcept {
  if (!socket_) return;
  [[maybe_unused]] const auto sent = ::send(socket_.get(), lines.data(), lines.size(), MSG_NOSIGNAL);
}

}  // namespace grove::server
