// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <asio/basic_stream_socket.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <memory>
#include <string_view>
#include <system_error>

#include "base/fd.h"
#include "worker/gate/byte_stream.h"

namespace grove {

/// A connected socket as a byte_stream.
class socket_stream final : public byte_stream {
 public:
  /// Takes a socket over, and makes it non-blocking.
  /// Errors: null and `error`, and `connected` is as it was.
  [[nodiscard]] static std::unique_ptr<byte_stream> make(asio::io_context& io, unique_fd& connected,
                                                         std::error_code& error);

  void async_read_some(char* place, std::size_t bytes, std::shared_ptr<byte_stream_user> user) override;
  void async_write(std::string_view bytes, std::shared_ptr<byte_stream_user> user) override;
  void async_wait_hang_up(std::shared_ptr<byte_stream_user> user) override;
  [[nodiscard]] std::size_t write_some(std::string_view bytes, std::error_code& error) override;
  void shutdown_send() override;
  void close() override;
  [[nodiscard]] int descriptor() noexcept override { return socket_.native_handle(); }

 private:
  // With the executor that it has in any case: one that is erased would cost at each operation.
  using socket = asio::basic_stream_socket<asio::ip::tcp, asio::io_context::executor_type>;

  explicit socket_stream(socket connected) noexcept : socket_{std::move(connected)} {}

  socket socket_;
};

/// Sends a few last bytes to a socket that no stream is made of, and closes it, so that they arrive.
void send_and_close(unique_fd connected, std::string_view bytes);

}  // namespace grove
