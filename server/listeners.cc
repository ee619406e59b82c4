// SPDX-License-Identifier: Apache-2.0
#include "server/listeners.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <vector>

namespace grove::server {
namespace {

/// As many as the kernel holds at most by default (net.core.somaxconn): they wait while a worker is being replaced.
constexpr int backlog = 4096;

struct free_addresses {
  void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};
using address_list = std::unique_ptr<addrinfo, free_addresses>;

address_list resolve(const host_port& where, const std::string& option) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(where.host.c_str(), std::to_string(where.port).c_str(), &hints, &found);
  if (error != 0) {
    throw listen_error{fmt::format("cannot listen on {}: the host '{}' has no address ({}); change {}",
                                   where.to_string(), where.host, ::gai_strerror(error), option)};
  }
  return address_list{found};
}

std::string advice(int error, const host_port& where, const std::string& option) {
  switch (error) {
    case EADDRINUSE:
      return fmt::format(
          "the address is already in use; stop the program that has it (ss -ltnp 'sport = :{}' names it) or "
          "choose "
          "another with {} HOST:PORT",
          where.port, option);
    case EADDRNOTAVAIL:
      return fmt::format("no interface of this machine has that address; change {}", option);
    case EACCES:
      return fmt::format("ports below 1024 need a privilege; choose another with {}", option);
    default:
      return fmt::format("{}; change {}", ::strerror(error), option);
  }
}

/// Returns the socket, or leaves `error` with what went wrong.
unique_fd try_listen(const addrinfo& address, int& error) {
  unique_fd fd{::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  const int on = 1;
  const bool listens = fd && ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                       ::bind(fd.get(), address.ai_addr, address.ai_addrlen) == 0 && ::listen(fd.get(), backlog) == 0;
  if (listens) return fd;
  error = errno;
  return {};
}

host_port bound_address(const unique_fd& fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  char host[NI_MAXHOST] = {};
  char port[NI_MAXSERV] = {};
  auto* const address = reinterpret_cast<sockaddr*>(&storage);
  if (::getsockname(fd.get(), address, &size) != 0 ||
      ::getnameinfo(address, size, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    throw listen_error{"the address of the listening socket cannot be read"};
  }
  return {host, static_cast<std::uint16_t>(std::stoul(port))};
}

}  // namespace

listener listen_on(const host_port& where, const std::string& option, const std::function<bool()>& try_again) {
  const address_list list = resolve(where, option);
  std::vector<const addrinfo*> addresses;
  for (const addrinfo* one = list.get(); one != nullptr; one = one->ai_next)
    addresses.push_back(one);
  std::stable_partition(addresses.begin(), addresses.end(),
                        [](const addrinfo* one) { return one->ai_family == AF_INET; });
  int error = EADDRNOTAVAIL;
  do {
    for (const addrinfo* one : addresses) {
      if (unique_fd fd = try_listen(*one, error)) {
        host_port address = bound_address(fd);
        return {std::move(fd), std::move(address)};
      }
      // A taken port is no reason to go to another address that nobody would look at.
      if (error != EADDRNOTAVAIL && error != EAFNOSUPPORT) break;
    }
  } while (error == EADDRINUSE && try_again && try_again());
  throw listen_error{fmt::format("cannot listen on {}: {}", where.to_string(), advice(error, where, option))};
}

}  // namespace grove::server
