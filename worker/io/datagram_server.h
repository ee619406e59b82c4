// SPDX-License-Identifier: Apache-2.0
#pragma once

// A server for datagrams, each handled in a greenlet of its own, after gevent's DatagramServer:
//
//   datagram_server echo(loop, {asio::ip::address_v4::loopback(), 0}, [](datagram& got) { got.reply(got.bytes); });
//   echo.start();
//
// What is common to all servers is at the top of serving.h. While `handlers_max` handlers run nothing is read, and the
// kernel drops what does not fit into the socket's buffer.

#include <asio/ip/udp.hpp>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "worker/io/serving.h"

namespace grove {

struct datagram_server_options {
  std::string name = "a datagram server";   ///< in reports
  std::size_t handlers_max = 1000;          ///< that run at once
  stack_class stack = stack_class::small;   ///< of the handlers
  std::size_t receive_max = 100;            ///< datagrams taken before others run
  std::size_t datagram_bytes_max = 65'535;  ///< longer ones are dropped and counted
};

namespace io::detail {
class receiving;
}

class datagram {
 public:
  std::string bytes;
  asio::ip::udp::endpoint from;
  /// To where it came from, otherwise as datagram_server::send_to().
  void reply(std::string_view answer) const;

 private:
  friend class io::detail::receiving;
  explicit datagram(io::detail::receiving& by) noexcept : by_(&by) {}
  io::detail::receiving* by_;
};

/// Affinity: hub thread. What waits must be called in a greenlet.
class datagram_server {
 public:
  using endpoint = asio::ip::udp::endpoint;

  /// Binds; `handler` is called with (datagram&) from start() on.
  /// Errors: std::system_error.
  template <typename F>
  datagram_server(hub& on, const endpoint& at, F handler, const datagram_server_options& options = {})
      : datagram_server(erased{}, on, at, check(std::move(handler)), options) {}
  /// Closes, and kills the handlers without waiting for them: call stop() before what they use goes away.
  ~datagram_server();
  datagram_server(const datagram_server&) = delete;
  datagram_server& operator=(const datagram_server&) = delete;

  /// Receives from now on. Idempotent; without effect after close().
  void start();
  /// start(), and waits for close() or stop(). Cancel: closes.
  void serve();
  /// Receives nothing any more. Handlers go on, and may still reply.
  void close() noexcept;
  /// close(), waits for the handlers for at most `grace`, then kills them; true if all have ended.
  bool stop(time_span grace = std::chrono::seconds{1});

  /// Sends from the server's socket; waits while its buffer is full.
  /// Errors: std::system_error; EBADF when it is closed.
  void send_to(std::string_view bytes, const endpoint& to);

  [[nodiscard]] endpoint local_endpoint() const noexcept { return local_; }
  [[nodiscard]] std::size_t handlers() const noexcept;
  /// Datagrams that were longer than `datagram_bytes_max`.
  [[nodiscard]] std::uint64_t too_long() const noexcept;

 private:
  struct erased {};
  datagram_server(erased, hub& on, const endpoint& at, unique_function<void(datagram&)> handler,
                  const datagram_server_options& options);
  template <typename F>
  static unique_function<void(datagram&)> check(F handler) {
    static_assert(std::invocable<F&, datagram&>, "the handler of a datagram_server is called with (datagram&)");
    return handler;
  }

  endpoint local_;
  std::shared_ptr<io::detail::receiving> serves_;
};

}  // namespace grove
