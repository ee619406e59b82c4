// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

namespace grove {

/// An address as sockets take it: host and port.
class socket_address {
 public:
  /// Unspecified: AF_UNSPEC.
  socket_address() noexcept = default;
  /// Errors: std::length_error if it is longer than any address.
  socket_address(const sockaddr* address, std::size_t size);

  [[nodiscard]] const sockaddr* data() const noexcept { return reinterpret_cast<const sockaddr*>(&storage_); }
  [[nodiscard]] socklen_t size() const noexcept { return size_; }
  [[nodiscard]] int family() const noexcept { return storage_.ss_family; }
  /// 0 if it is no internet address.
  [[nodiscard]] std::uint16_t port() const noexcept;
  /// "127.0.0.1", "::1", "fe80::1%2"; empty if it is no internet address.
  [[nodiscard]] std::string host() const;
  /// "127.0.0.1:80", "[::1]:80".
  [[nodiscard]] std::string text() const;

  /// As an endpoint of Asio, such as asio::ip::tcp::endpoint.
  template <typename Endpoint>
  [[nodiscard]] Endpoint as() const {
    Endpoint made;
    made.resize(size_);
    std::memcpy(made.data(), &storage_, size_);
    return made;
  }

  friend bool operator==(const socket_address& a, const socket_address& b) noexcept {
    return a.size_ == b.size_ && std::memcmp(&a.storage_, &b.storage_, a.size_) == 0;
  }

 private:
  sockaddr_storage storage_{};
  socklen_t size_ = 0;
};

}  // namespace grove
