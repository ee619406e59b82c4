// SPDX-License-Identifier: Apache-2.0
#include "worker/main/control_link.h"

#include <sys/socket.h>

#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>

#include "base/process/control_packets.h"

namespace grove {

std::optional<v1::ControlMessage> control_link::receive() {
  std::string packet(control_packet_bytes_max, '\0');
  ssize_t size = 0;
  do {
    size = ::recv(socket_.get(), packet.data(), packet.size(), 0);
  } while (size < 0 && errno == EINTR);
  if (size < 0 && errno != ECONNRESET) {
    throw std::system_error{errno, std::generic_category(), "reading from the supervisor"};
  }
  if (size <= 0) return std::nullopt;
  packet.resize(static_cast<std::size_t>(size));
  auto message = parse_control_packet(packet);
  if (!message) throw std::runtime_error{"the supervisor sent a packet that is no ControlMessage"};
  return message;
}

void control_link::send(const v1::ControlMessage& message) noexcept {
  const std::string packet = message.SerializeAsString();
  ssize_t sent = 0;
  do {
    sent = ::send(socket_.get(), packet.data(), packet.size(), MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
}

int control_link::peer() const {
  ucred who{};
  socklen_t size = sizeof who;
  if (::getsockopt(socket_.get(), SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) {
    throw std::system_error{errno, std::generic_category(), "asking who the supervisor is"};
  }
  return who.pid;
}

}  // namespace grove
