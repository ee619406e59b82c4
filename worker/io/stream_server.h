// SPDX-License-Identifier: Apache-2.0
#pragma once

// Servers for connections, each served in a greenlet of its own, after gevent's StreamServer:
//
//   stream_server echo(loop, {asio::ip::address_v4::loopback(), 0}, [](asio::ip::tcp::socket& peer) { ... });
//   echo.start();
//
// A handler uses the socket with use_greenlet; for TLS it wraps it: asio::ssl::stream<tcp::socket&>. What is common to
// all servers is at the top of serving.h.

#include <asio/ip/tcp.hpp>
#include <asio/local/stream_protocol.hpp>
#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "base/fd.h"
#include "worker/io/serving.h"

struct sockaddr;

namespace grove {

struct stream_server_options {
  std::string name = "a stream server";    ///< in reports
  std::size_t connections_max = 10'000;    ///< served at once; beyond it nothing is accepted
  std::size_t accept_max = 100;            ///< connections accepted before others run
  stack_class stack = stack_class::small;  ///< of the handlers
  int backlog = 1024;                      ///< connections that the kernel keeps until they are accepted
};

namespace io::detail {

/// Errors: std::system_error.
unique_fd listen_at(const sockaddr* address, std::size_t size, int protocol, int backlog);
/// Returns the size of the address.
std::size_t local_address(int fd, sockaddr* into, std::size_t size);

class accepting final : public serving {
 public:
  /// The file of a local socket at `unlinked` is removed when it closes.
  accepting(hub& on, unique_fd listening, const stream_server_options& options, std::string unlinked,
            unique_function<void(unique_fd)> serve_one);

 private:
  int take() override;
  void closing() noexcept override;
  unique_function<void(unique_fd)> serve_one_;
  std::string unlinked_;
};

}  // namespace io::detail

/// Affinity: hub thread. What waits must be called in a greenlet.
template <typename Protocol>
class basic_stream_server {
 public:
  using socket = typename Protocol::socket;
  using endpoint = typename Protocol::endpoint;

  /// Whether F can serve: called with (socket&), or (socket&, const endpoint&) to learn the peer's address. The socket is
  /// closed when it returns or throws.
  template <typename F>
  static constexpr bool is_handler = std::invocable<F&, socket&> || std::invocable<F&, socket&, const endpoint&>;

  /// Binds and listens; the kernel takes connections from now on, the handler from start() on.
  /// Errors: std::system_error.
  template <typename F>
  basic_stream_server(hub& on, const endpoint& at, F handler, const stream_server_options& options = {})
      : basic_stream_server(on,
                            io::detail::listen_at(reinterpret_cast<const sockaddr*>(at.data()), at.size(),
                                                  at.protocol().protocol(), options.backlog),
                            std::move(handler), options, path_of(at)) {}
  /// Takes over a socket that listens.
  template <typename F>
  basic_stream_server(hub& on, unique_fd listening, F handler, const stream_server_options& options = {})
      : basic_stream_server(on, std::move(listening), std::move(handler), options, {}) {}
  /// Closes, and kills the handlers without waiting for them: call stop() before what they use goes away.
  ~basic_stream_server() { serves_->abandon(); }
  basic_stream_server(const basic_stream_server&) = delete;
  basic_stream_server& operator=(const basic_stream_server&) = delete;

  /// Accepts from now on. Idempotent; without effect after close().
  void start() { serves_->start(); }
  /// start(), and waits for close() or stop(). Cancel: closes.
  void serve() { serves_->serve(); }
  /// Accepts nothing any more; connects are refused. Handlers go on.
  void close() noexcept { serves_->close(); }
  /// close(), waits for the handlers for at most `grace`, then kills them; true if all have ended. A handler may call it:
  /// it is not waited for, nor killed.
  bool stop(time_span grace = std::chrono::seconds{1}) { return serves_->stop(grace); }

  /// With the port that was chosen for port 0.
  [[nodiscard]] const endpoint& local_endpoint() const noexcept { return local_; }
  [[nodiscard]] std::size_t connections() const noexcept { return serves_->handlers(); }
  [[nodiscard]] bool closed() const noexcept { return serves_->closed(); }

 private:
  template <typename F>
  basic_stream_server(hub& on, unique_fd listening, F handler, const stream_server_options& options, std::string path)
      : local_(endpoint_of(listening.get())) {
    static_assert(is_handler<F>,
                  "the handler of a stream server is called with (socket&) or (socket&, const endpoint&), both of the "
                  "server's protocol");
    serves_ = std::make_shared<io::detail::accepting>(
        on, std::move(listening), options, std::move(path),
        [&on, protocol = local_.protocol(), handler = std::move(handler)](unique_fd accepted) mutable {
          socket peer(on.io(), protocol, accepted.get());
          (void)accepted.release();
          if constexpr (std::invocable<F&, socket&>) {
            std::invoke(handler, peer);
          } else {
            asio::error_code gone;  // the peer may have; the address is empty then
            std::invoke(handler, peer, std::as_const(peer).remote_endpoint(gone));
          }
        });
  }

  static endpoint endpoint_of(int fd) {
    endpoint found;
    found.resize(io::detail::local_address(fd, reinterpret_cast<sockaddr*>(found.data()), found.capacity()));
    return found;
  }
  static std::string path_of(const endpoint& at) {
    if constexpr (requires { at.path(); }) {
      return at.path();
    } else {
      return {};
    }
  }

  endpoint local_;
  std::shared_ptr<io::detail::accepting> serves_;
};

using stream_server = basic_stream_server<asio::ip::tcp>;
/// Its file is removed when it closes.
using local_stream_server = basic_stream_server<asio::local::stream_protocol>;

}  // namespace grove
