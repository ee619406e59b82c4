// SPDX-License-Identifier: Apache-2.0
#include "worker/io/socket_address.h"

#include <netdb.h>
#include <netinet/in.h>

#include <array>
#include <stdexcept>

namespace grove {

socket_address::socket_address(const sockaddr* address, std::size_t size) {
  if (size > sizeof storage_) throw std::length_error("a socket's address of " + std::to_string(size) + " bytes");
  std::memcpy(&storage_, address, size);
  size_ = static_cast<socklen_t>(size);
}

std::uint16_t socket_address::port() const noexcept {
  if (family() == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(storage_).sin_port);
  if (family() == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(storage_).sin6_port);
  return 0;
}

std::string socket_address::host() const {
  std::array<char, NI_MAXHOST> found{};
  if (family() != AF_INET && family() != AF_INET6) return {};
  if (::getnameinfo(data(), size_, found.data(), found.size(), nullptr, 0, NI_NUMERICHOST) != 0) return {};
  return found.data();
}

std::string socket_address::text() const {
  const std::string at = family() == AF_INET6 ? "[" + host() + "]" : host();
  return at + ":" + std::to_string(port());
}

}  // namespace grove
