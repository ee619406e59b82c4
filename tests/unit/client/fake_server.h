// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_buffer.h"
#include "client/address.h"
#include "proto/wire/envelope.h"
#include "tests/support/kept_port.h"

namespace grove::test {

/// A server of the client protocol on a loopback port that it keeps, which does what a test tells it, wrong
/// things included. Lives in the loop that it is given.
class fake_server {
 public:
  class session;

  explicit fake_server(asio::io_context& io);
  ~fake_server();

  [[nodiscard]] server_address address() const;

  /// What a Welcome says.
  std::uint32_t workers = 1;
  std::vector<std::uint32_t> owners;
  std::uint32_t unfinished_calls_max = 256;
  std::uint32_t nesting_max = 32;
  std::uint32_t version = 1;

  /// What happens at a hello; by default the wanted worker, or worker 0, welcomes.
  std::function<void(session&, const wire::hello_view&)> on_hello;
  /// What happens at a request; by default its payload is the answer.
  std::function<void(session&, const wire::request_view&)> on_request;

  /// Every connection there ever was, in the order of arrival.
  [[nodiscard]] const std::vector<std::shared_ptr<session>>& sessions() const noexcept { return sessions_; }

  /// New connections are refused by the system from now on.
  void stop_listening();

 private:
  void accept();

  asio::io_context& io_;
  kept_port port_;
  asio::ip::tcp::acceptor acceptor_;
  server_address address_;
  std::vector<std::shared_ptr<session>> sessions_;
};

class fake_server::session : public std::enable_shared_from_this<session> {
 public:
  session(fake_server& server, asio::ip::tcp::socket socket) : server_{server}, socket_{std::move(socket)} {}

  void start() { read(); }

  void welcome(std::uint32_t worker);
  void respond(std::uint64_t id, std::string_view payload);
  void fail(std::uint64_t id, status_code code, std::string_view message, outcome result);
  void item(std::uint64_t id, std::string_view payload);
  void ping(std::uint64_t nonce);
  void drain();
  void refuse(status_code code, std::string_view message);
  void raw(std::string_view bytes);
  /// Closes the connection.
  void drop();

  /// What came in.
  std::optional<std::uint32_t> wanted_worker;
  std::vector<std::uint64_t> requests;
  std::vector<std::uint64_t> cancels;
  std::vector<std::uint64_t> pongs;
  std::size_t pings = 0;
  bool answers_pings = true;
  bool closed = false;
  /// How often bytes were received: many frames in one write of the client come in few reads.
  std::size_t reads = 0;

 private:
  void read();
  void take(std::string_view envelope);
  void write();

  fake_server& server_;
  asio::ip::tcp::socket socket_;
  byte_buffer in_;
  byte_buffer out_;
  byte_buffer writing_;
  bool write_under_way_ = false;
  bool drop_after_write_ = false;
};

}  // namespace grove::test
