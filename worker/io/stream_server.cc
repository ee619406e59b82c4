// SPDX-License-Identifier: Apache-2.0
#include "worker/io/stream_server.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace grove::io::detail {

namespace {
[[noreturn]] void fail(const char* call) {
  throw std::system_error(errno, std::system_category(), call);
}
}  // namespace

unique_fd listen_at(const sockaddr* address, std::size_t size, int protocol, int backlog) {
  unique_fd fd(::socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol));
  if (!fd) fail("a socket for a stream server");
  const int on = 1;
  if (address->sa_family != AF_UNIX && ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
    fail("SO_REUSEADDR for a stream server");
  if (::bind(fd.get(), address, static_cast<socklen_t>(size)) != 0) fail("binding a stream server");
  if (::listen(fd.get(), backlog) != 0) fail("listen for a stream server");
  return fd;
}

std::size_t local_address(int fd, sockaddr* into, std::size_t size) {
  auto length = static_cast<socklen_t>(size);
  if (::getsockname(fd, into, &length) != 0) fail("the address of a server's socket");
  return length;
}

accepting::accepting(hub& on, unique_fd listening, const stream_server_options& options, std::string unlinked,
                     unique_function<void(unique_fd)> serve_one)
    : serving(on, std::move(listening),
              {.name = options.name,
               .handlers_max = options.connections_max,
               .taken_at_once_max = options.accept_max,
               .stack = options.stack}),
      serve_one_(std::move(serve_one)),
      unlinked_(std::move(unlinked)) {
  const int flags = ::fcntl(fd(), F_GETFL);
  if (flags < 0 || ::fcntl(fd(), F_SETFL, flags | O_NONBLOCK) != 0) fail("a stream server's socket");
}

int accepting::take() {
  unique_fd accepted(::accept4(fd(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!accepted) return errno;
  launch([this, accepted = std::move(accepted)]() mutable { serve_one_(std::move(accepted)); });
  return 0;
}

void accepting::closing() noexcept {
  // An abstract name (its first byte is 0) and an anonymous socket have no file.
  if (!unlinked_.empty() && unlinked_.front() != '\0') ::unlink(unlinked_.c_str());
}

}  // namespace grove::io::detail
