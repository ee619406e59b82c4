// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <string>

#include "base/fd.h"

namespace grove::server {

/// A service manager's socket, at a name in the abstract namespace that the kernel chose.
class manager_socket {
 public:
  manager_socket() : socket_{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)} {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&name), sizeof(sa_family_t)), 0);
    socklen_t length = sizeof name;
    EXPECT_EQ(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&name), &length), 0);
    address_ = "@" + std::string{name.sun_path + 1, length - offsetof(sockaddr_un, sun_path) - 1};
  }

  [[nodiscard]] const std::string& address() const { return address_; }

  /// What was told since the last time.
  [[nodiscard]] std::string told() const {
    std::string text(4'096, '\0');
    const auto got = ::recv(socket_.get(), text.data(), text.size(), 0);
    if (got < 0) return {};
    text.resize(static_cast<std::size_t>(got));
    return text + told();
  }

  /// Waits until `lines` are told, after whatever comes before them. Fails after a while.
  void wait_for(const std::string& lines) const {
    std::string text;
    while (text.find(lines) == std::string::npos) {
      pollfd readable{.fd = socket_.get(), .events = POLLIN, .revents = 0};
      ASSERT_EQ(::poll(&readable, 1, 60'000), 1) << "told: " << text;
      text += told();
    }
  }

 private:
  unique_fd socket_;
  std::string address_;
};

}  // namespace grove::server
