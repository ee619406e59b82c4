// SPDX-License-Identifier: Apache-2.0
#include "server/admin.h"

#include <sys/socket.h>

#include <array>
#include <asio/buffer.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>
#include <string>
#include <system_error>
#include <utility>
#include <variant>

#include "base/values.h"

namespace grove::server {

using asio::ip::tcp;

struct admin_server::state {
  state(asio::io_context& io, admin_pages what, std::shared_ptr<spdlog::logger> where, std::chrono::milliseconds time)
      : acceptor{io}, pause{io}, pages{std::move(what)}, log{std::move(where)}, request_time{time} {}

  tcp::acceptor acceptor;
  asio::steady_timer pause;
  admin_pages pages;
  std::shared_ptr<spdlog::logger> log;
  std::chrono::milliseconds request_time;
  std::size_t connections = 0;
  bool accepting = false;
  bool closed = false;
};

/// One request and its answer. Its handlers own it: it ends when none is left.
class admin_server::connection : public std::enable_shared_from_this<connection> {
 public:
  connection(tcp::socket socket, std::shared_ptr<state> shared)
      : socket_{std::move(socket)}, deadline_{socket_.get_executor()}, shared_{std::move(shared)} {
    ++shared_->connections;
  }
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;
  ~connection() {
    --shared_->connections;
    accept(shared_);
  }

  void begin() {
    deadline_.expires_after(shared_->request_time);
    deadline_.async_wait([weak = weak_from_this()](const std::error_code& error) {
      const auto self = weak.lock();
      if (!error && self) self->time_is_up();
    });
    read();
  }

 private:
  void read() {
    socket_.async_read_some(asio::buffer(chunk_),
                            [self = shared_from_this()](const std::error_code& error, std::size_t bytes) {
                              if (error || self->answered_) return self->end();
                              self->request_.append(self->chunk_.data(), bytes);
                              self->look();
                            });
  }

  void look() {
    const auto parsed = parse_request(request_);
    if (std::holds_alternative<http_incomplete>(parsed)) return read();
    if (const auto* wrong = std::get_if<http_response>(&parsed)) return reply(*wrong, false);
    const auto& request = std::get<http_request>(parsed);
    reply(answer(request, shared_->pages), request.method == "HEAD");
  }

  void reply(const http_response& response, bool head) {
    answered_ = true;
    reply_ = render(response, head);
    asio::async_write(socket_, asio::buffer(reply_), [self = shared_from_this()](const std::error_code& error, auto) {
      if (error) return self->end();
      std::error_code ignored;
      self->socket_.shutdown(tcp::socket::shutdown_send, ignored);
      self->discard();
    });
  }

  /// Reads until the client closes: a close with unread bytes would reset the connection and lose the answer.
  void discard() {
    socket_.async_read_some(asio::buffer(chunk_), [self = shared_from_this()](const std::error_code& error, auto) {
      if (error) return self->end();
      self->discard();
    });
  }

  void time_is_up() {
    if (answered_) return end();
    // Whoever waits for an answer gets one; the pending read sees `answered_` or the end.
    answered_ = true;
    const std::string text =
        render({408, "the request did not come within " + duration_value(shared_->request_time) + "\n"}, false);
    ::send(socket_.native_handle(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    end();
  }

  void end() {
    std::error_code ignored;
    deadline_.cancel();
    socket_.close(ignored);
  }

  tcp::socket socket_;
  asio::steady_timer deadline_;
  std::shared_ptr<state> shared_;
  std::array<char, 2048> chunk_;
  std::string request_;
  std::string reply_;
  bool answered_ = false;
};

admin_server::admin_server(asio::io_context& io, unique_fd listener, admin_pages pages,
                           std::shared_ptr<spdlog::logger> log, std::chrono::milliseconds request_time)
    : state_{std::make_shared<state>(io, std::move(pages), std::move(log), request_time)} {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::system_error{errno, std::generic_category(), "getsockname of the admin's socket"};
  }
  state_->acceptor.assign(address.ss_family == AF_INET6 ? tcp::v6() : tcp::v4(), listener.release());
  accept(state_);
}

admin_server::~admin_server() {
  state_->closed = true;
  std::error_code ignored;
  state_->acceptor.close(ignored);
  state_->pause.cancel();
}

void admin_server::accept(const std::shared_ptr<state>& shared) {
  if (shared->closed || shared->accepting || shared->connections >= connections_max) return;
  shared->accepting = true;
  shared->acceptor.async_accept([shared](const std::error_code& error, tcp::socket socket) {
    shared->accepting = false;
    if (shared->closed) return;
    if (!error) {
      std::make_shared<connection>(std::move(socket), shared)->begin();
      return accept(shared);
    }
    // Out of descriptors, say: at once again would spin.
    shared->log->warn("the admin cannot accept: {}", error.message());
    shared->accepting = true;
    shared->pause.expires_after(std::chrono::milliseconds{100});
    shared->pause.async_wait([shared](const std::error_code& cancelled) {
      shared->accepting = false;
      if (!cancelled) accept(shared);
    });
  });
}

}  // namespace grove::server
