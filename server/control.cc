// SPDX-License-Identifier: Apache-2.0
#include "server/control.h"

#include <string.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "base/process/control_packets.h"

namespace grove::server {

control_pair make_control_pair() {
  int fds[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0) {
    throw std::system_error{errno, std::generic_category(), "socketpair for a worker's control connection"};
  }
  return {unique_fd{fds[0]}, unique_fd{fds[1]}};
}

control_channel::control_channel(asio::io_context& io, unique_fd fd, events on) : socket_{io}, on_{std::move(on)} {
  socket_.assign(fd.get());
  (void)fd.release();
}

void control_channel::open() {
  wait();
}

void control_channel::wait() {
  socket_.async_wait(asio::posix::stream_descriptor::wait_read,
                     [self = shared_from_this()](const std::error_code& error) {
                       if (error || !self->socket_.is_open()) return;
                       self->read_what_is_there();
                       if (self->socket_.is_open()) self->wait();
                     });
}

void control_channel::read_what_is_there() {
  // Handlers may close this channel, and the object must outlive their call.
  const auto self = shared_from_this();
  std::array<char, control_packet_bytes_max> packet;
  while (socket_.is_open()) {
    const ssize_t size = ::recv(socket_.native_handle(), packet.data(), packet.size(), MSG_DONTWAIT | MSG_TRUNC);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (size < 0) return lose(::strerror(errno));
    // A worker sends no empty packets, so this is the end of the stream.
    if (size == 0) return lose("closed by the worker");
    // A WorkerFailed with a novel as its reason would be longer: it is cut off, and its size says so.
    const auto message = parse_control_packet({packet.data(), static_cast<std::size_t>(size)});
    if (!message) return lose("a packet that is no control message");
    on_.message(*message);
  }
}

void control_channel::lose(std::string_view why) {
  close();
  on_.lost(why);
}

void control_channel::close() noexcept {
  std::error_code ignored;
  socket_.close(ignored);
}

bool control_channel::send(const v1::ControlMessage& message) {
  if (!socket_.is_open()) return false;
  const std::string bytes = message.SerializeAsString();
  // The few messages of a worker's life fit the socket's buffer many times over: a full one means that nobody reads.
  return ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL) ==
         static_cast<ssize_t>(bytes.size());
}

}  // namespace grove::server
