// SPDX-License-Identifier: Apache-2.0
#include "worker/gate/acceptor.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include "tests/unit/gate/gate_fixture.h"

namespace grove::test {
namespace {

class acceptor_of_connections : public gate_test {
 protected:
  acceptor_of_connections() {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    auto* const address = reinterpret_cast<sockaddr*>(&address_);
    socklen_t size = sizeof address_;
    EXPECT_EQ(::bind(listener.get(), address, size), 0);
    EXPECT_EQ(::listen(listener.get(), 8), 0);
    EXPECT_EQ(::getsockname(listener.get(), address, &size), 0);
  }

  unique_fd connected() {
    unique_fd client{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    EXPECT_EQ(::connect(client.get(), reinterpret_cast<const sockaddr*>(&address_), sizeof address_), 0);
    return client;
  }

  unique_fd listener{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  int accepted = 0;
  acceptor accepts{loop, listener.get(), [] { return true; }, [this](const unique_fd&) { ++accepted; }};

 private:
  sockaddr_in address_{};
};

TEST_F(acceptor_of_connections, passes_on_each_that_comes) {
  const unique_fd first = connected();
  run();
  const unique_fd second = connected();
  run();
  EXPECT_EQ(accepted, 2);
}

TEST_F(acceptor_of_connections, has_nothing_more_to_do_once_the_listener_is_shut_down) {
  EXPECT_EQ(::shutdown(listener.get(), SHUT_RDWR), 0);
  int passes = 0;
  while (loop.poll() && passes < 100)
    ++passes;
  EXPECT_LT(passes, 100);
}

}  // namespace
}  // namespace grove::test
