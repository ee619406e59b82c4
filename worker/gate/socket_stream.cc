// SPDX-License-Identifier: Apache-2.0
#include "worker/gate/socket_stream.h"

#include <sys/socket.h>

#include <array>
#include <asio/buffer.hpp>
#include <asio/write.hpp>
#include <utility>

namespace grove {

std::unique_ptr<byte_stream> socket_stream::make(asio::io_context& io, unique_fd& connected, std::error_code& error) {
  socket made{io};
  made.assign(asio::ip::tcp::v4(), connected.get(), error);
  if (error) return nullptr;
  (void)connected.release();
  made.non_blocking(true, error);
  if (error) {
    std::error_code ignored;
    connected = unique_fd{made.release(ignored)};
    return nullptr;
  }
  // Answers are gathered here already, so that the kernel need not wait for more. On what is not TCP it has no effect.
  std::error_code no_tcp;
  made.set_option(asio::ip::tcp::no_delay{true}, no_tcp);
  return std::unique_ptr<byte_stream>{new socket_stream{std::move(made)}};
}

void socket_stream::async_read_some(char* place, std::size_t bytes, std::shared_ptr<byte_stream_user> user) {
  socket_.async_read_some(asio::buffer(place, bytes), [user = std::move(user)](std::error_code error, std::size_t got) {
    if (error == asio::error::eof) error.clear();
    user->on_read(error, got);
  });
}

void socket_stream::async_write(std::string_view bytes, std::shared_ptr<byte_stream_user> user) {
  asio::async_write(
      socket_, asio::buffer(bytes.data(), bytes.size()),
      [user = std::move(user)](std::error_code error, std::size_t sent) { user->on_written(error, sent); });
}

void socket_stream::async_wait_hang_up(std::shared_ptr<byte_stream_user> user) {
  socket_.async_wait(socket::wait_error, [user = std::move(user)](std::error_code) { user->on_hang_up(); });
}

std::size_t socket_stream::write_some(std::string_view bytes, std::error_code& error) {
  const std::size_t sent = socket_.write_some(asio::buffer(bytes.data(), bytes.size()), error);
  if (error == asio::error::would_block || error == asio::error::try_again) error.clear();
  return sent;
}

void socket_stream::shutdown_send() {
  std::error_code ignored;  // Who has gone already cannot be told.
  socket_.shutdown(socket::shutdown_send, ignored);
}

void socket_stream::close() {
  std::error_code ignored;
  socket_.close(ignored);
}

void send_and_close(unique_fd connected, std::string_view bytes) {
  // They fit into the empty buffer of any socket, and who has gone needs no reason.
  (void)::send(connected.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  ::shutdown(connected.get(), SHUT_WR);
  // Bytes that were not read would make the end a reset, which may overtake what was sent.
  std::array<char, 4096> said{};
  for (int parts = 0; parts < 16 && ::recv(connected.get(), said.data(), said.size(), MSG_DONTWAIT) > 0;)
    ++parts;
}

}  // namespace grove
