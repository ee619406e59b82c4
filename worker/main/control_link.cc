// SPDX-License-Identifier: Apache-2.0
#include "worker/main/control_link.h"

#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <string>
#include <system_error>

namespace grove {
namespace {

constexpr std::size_t packet_bytes_max = 64 * 1024;

template <class Field, class Value>
void take(Field& into, Value sent) {
  if (sent != 0) into = Field{static_cast<Field>(sent)};
}

template <class Value>
void take(std::chrono::milliseconds& into, Value sent) {
  if (sent != 0) into = std::chrono::milliseconds{sent};
}

}  // namespace

std::optional<v1::ControlMessage> control_link::receive() {
  std::string packet(packet_bytes_max, '\0');
  ssize_t size = 0;
  do {
    size = ::recv(socket_.get(), packet.data(), packet.size(), 0);
  } while (size < 0 && errno == EINTR);
  if (size < 0 && errno != ECONNRESET) {
    throw std::system_error{errno, std::generic_category(), "reading from the supervisor"};
  }
  if (size <= 0) return std::nullopt;
  v1::ControlMessage message;
  if (!message.ParseFromArray(packet.data(), static_cast<int>(size))) {
    throw std::runtime_error{"the supervisor sent a packet that is no ControlMessage"};
  }
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

limits limits_from(const v1::ServerLimits& sent) {
  limits made;
  take(made.frame_bytes_max, sent.frame_bytes_max());
  take(made.nesting_max, sent.nesting_max());
  take(made.key_bytes_max, sent.key_bytes_max());
  take(made.unfinished_calls_max, sent.unfinished_calls_max());
  take(made.output_buffer_bytes_max, sent.output_buffer_bytes_max());
  take(made.connections_max, sent.connections_max());
  take(made.mailbox_messages_max, sent.mailbox_messages_max());
  take(made.mailbox_bytes_max, sent.mailbox_bytes_max());
  take(made.stacks_max, sent.stacks_max());
  take(made.slow_reader_cut, sent.slow_reader_cut_ms());
  take(made.first_frame_within, sent.first_frame_within_ms());
  take(made.call_deadline, sent.call_deadline_ms());
  take(made.idle_timeout, sent.idle_timeout_ms());
  take(made.type_bytes_max, sent.type_bytes_max());
  take(made.method_bytes_max, sent.method_bytes_max());
  take(made.metadata_entries_max, sent.metadata_entries_max());
  take(made.call_depth_max, sent.call_depth_max());
  take(made.frame_within, sent.frame_within_ms());
  take(made.call_deadline_max, sent.call_deadline_max_ms());
  return made;
}

}  // namespace grove
