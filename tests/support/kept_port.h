// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <system_error>

#include "base/fd.h"

namespace grove::test {

/// A port of 127.0.0.1 that the kernel gives to nobody else as long as this lives, and at which nobody listens: who
/// connects is refused, whatever other tests do meanwhile. A server under test that is told this port may listen there,
/// if it sets SO_REUSEADDR, and leaves it refusing when it has stopped.
class kept_port {
 public:
  /// Errors: std::system_error.
  kept_port() : socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    const int on = 1;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (::setsockopt(socket_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        ::bind(socket_.get(), any, size) != 0 || ::getsockname(socket_.get(), any, &size) != 0) {
      throw std::system_error{errno, std::generic_category(), "a port that nobody else gets"};
    }
    number_ = ntohs(address.sin_port);
  }

  [[nodiscard]] std::uint16_t number() const noexcept { return number_; }
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(number_); }

 private:
  unique_fd socket_;
  std::uint16_t number_ = 0;
};

}  // namespace grove::test
