// SPDX-License-Identifier: Apache-2.0
#include "worker/io/datagram_server.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <system_error>

#include "worker/io/fd_wait.h"

namespace grove {

namespace {

unique_fd bind_at(const asio::ip::udp::endpoint& at) {
  const auto fail = [](const char* call) { throw std::system_error(errno, std::system_category(), call); };
  unique_fd fd(::socket(at.protocol().family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, at.protocol().protocol()));
  if (!fd) fail("a socket for a datagram server");
  if (::bind(fd.get(), at.data(), static_cast<socklen_t>(at.size())) != 0) fail("binding a datagram server");
  return fd;
}

}  // namespace

namespace io::detail {

class receiving final : public serving {
 public:
  receiving(hub& in, unique_fd fd, const datagram_server_options& options, unique_function<void(datagram&)> handler)
      : serving(in, std::move(fd),
                {.name = options.name,
                 .handlers_max = options.handlers_max,
                 .taken_at_once_max = options.receive_max,
                 .stack = options.stack,
                 .handlers_use_fd = true}),
        handler_(std::move(handler)),
        room_(options.datagram_bytes_max, '\0'),
        sending_(in, 1) {}

  void send_to(std::string_view bytes, const asio::ip::udp::endpoint& to) {
    if (try_send(bytes, to)) return;
    // One at a time waits for the socket.
    const std::lock_guard turn(sending_);
    while (!try_send(bytes, to))
      (void)wait_writable(fd());
  }

  std::uint64_t too_long = 0;

 private:
  int take() override {
    datagram got(*this);
    auto length = static_cast<socklen_t>(got.from.capacity());
    const ssize_t size =
        ::recvfrom(fd(), room_.data(), room_.size(), MSG_DONTWAIT | MSG_TRUNC, got.from.data(), &length);
    if (size < 0) return errno;
    if (static_cast<std::size_t>(size) > room_.size()) {
      ++too_long;
      return 0;
    }
    got.from.resize(length);
    got.bytes.assign(room_, 0, static_cast<std::size_t>(size));
    launch([this, got = std::move(got)]() mutable { handler_(got); });
    return 0;
  }

  bool try_send(std::string_view bytes, const asio::ip::udp::endpoint& to) {
    for (;;) {
      const ssize_t sent = ::sendto(fd(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL, to.data(),
                                    static_cast<socklen_t>(to.size()));
      if (sent >= 0) return true;
      if (errno == EAGAIN || errno == EWOULDBLOCK) return false;
      if (errno != EINTR) throw std::system_error(errno, std::system_category(), "sending a datagram");
    }
  }

  unique_function<void(datagram&)> handler_;
  std::string room_;
  semaphore sending_;
};

}  // namespace io::detail

void datagram::reply(std::string_view answer) const {
  by_->send_to(answer, from);
}

datagram_server::datagram_server(erased, hub& on, const endpoint& at, unique_function<void(datagram&)> handler,
                                 const datagram_server_options& options) {
  unique_fd fd = bind_at(at);
  auto length = static_cast<socklen_t>(local_.capacity());
  if (::getsockname(fd.get(), local_.data(), &length) != 0)
    throw std::system_error(errno, std::system_category(), "the address of a datagram server");
  local_.resize(length);
  serves_ = std::make_shared<io::detail::receiving>(on, std::move(fd), options, std::move(handler));
}

datagram_server::~datagram_server() {
  serves_->abandon();
}

void datagram_server::start() {
  serves_->start();
}
void datagram_server::serve() {
  serves_->serve();
}
void datagram_server::close() noexcept {
  serves_->close();
}
bool datagram_server::stop(time_span grace) {
  return serves_->stop(grace);
}
void datagram_server::send_to(std::string_view bytes, const endpoint& to) {
  serves_->send_to(bytes, to);
}
std::size_t datagram_server::handlers() const noexcept {
  return serves_->handlers();
}
std::uint64_t datagram_server::too_long() const noexcept {
  return serves_->too_long;
}

}  // namespace grove
