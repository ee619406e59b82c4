// SPDX-License-Identifier: Apache-2.0
#include "worker/gate/acceptor.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/descriptor_shortage.h"
#include "tests/unit/gate/gate_fixture.h"

namespace grove::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

/// A listening socket on a port of its own.
class loopback_listener {
 public:
  loopback_listener() {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    auto* const address = reinterpret_cast<sockaddr*>(&address_);
    socklen_t size = sizeof address_;
    EXPECT_EQ(::bind(socket_.get(), address, size), 0);
    EXPECT_EQ(::listen(socket_.get(), 8), 0);
    EXPECT_EQ(::getsockname(socket_.get(), address, &size), 0);
  }

  [[nodiscard]] unique_fd connected() const {
    unique_fd client{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    EXPECT_EQ(::connect(client.get(), reinterpret_cast<const sockaddr*>(&address_), sizeof address_), 0);
    return client;
  }
  [[nodiscard]] int get() const noexcept { return socket_.get(); }

 private:
  unique_fd socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  sockaddr_in address_{};
};

class acceptor_of_connections : public gate_test, public acceptor_owner {
 protected:
  unique_fd connected() { return listener.connected(); }

  loopback_listener listener;
  bool may_accept() override {
    throw_if(1);
    return true;
  }
  void accepted(std::unique_ptr<byte_stream> stream, protocol_factory& speaks) override {
    throw_if(2);
    EXPECT_GE(stream->descriptor(), 0);
    spoken.push_back(&speaks);
    ++connections;
  }
  void ran_short(int error) override {
    throw_if(3);
    EXPECT_EQ(error, EMFILE);
    ++shortages;
  }
  bool others_have_room() override {
    throw_if(4);
    return others;
  }
  void turn_away(unique_fd connection, const protocol_factory& speaks, int error) override {
    throw_if(5);
    front->turn_away(std::move(connection), speaks, shortage_text(error));
  }

  /// Throws when it is this function's turn to, once.
  void throw_if(int function) {
    if (throws == function) {
      throws = 0;
      throw std::runtime_error{"function " + std::to_string(function) + " of the owner failed"};
    }
  }

  int throws = 0;
  int connections = 0;
  std::vector<const protocol_factory*> spoken;  ///< By those that came, one after the other.
  int shortages = 0;
  bool others = false;
  descriptor_reserve reserve;
  acceptor accepts{loop, {listener.get(), frames}, reserve, *this};
};

TEST_F(acceptor_of_connections, passes_on_each_that_comes) {
  const unique_fd first = connected();
  run();
  const unique_fd second = connected();
  run();
  EXPECT_EQ(connections, 2);
}

TEST_F(acceptor_of_connections, gives_each_the_protocol_of_its_listener) {
  frame_protocol_factory others_speak;
  const loopback_listener other;
  const acceptor accepts_too{loop, {other.get(), others_speak}, reserve, *this};
  const unique_fd first = other.connected();
  run();
  const unique_fd second = connected();
  run();
  EXPECT_THAT(spoken, testing::ElementsAre(&others_speak, &frames));
}

TEST_F(acceptor_of_connections, without_descriptors_leaves_what_waits_to_workers_that_have_some) {
  if (is_misjudged_without_descriptors) GTEST_SKIP() << misjudged_without_descriptors;
  others = true;
  const gate_client client{connected()};
  descriptor_shortage shortage;
  run();
  EXPECT_EQ(shortages, 1);
  advance(100ms);
  EXPECT_EQ(shortages, 2);
  EXPECT_EQ(metrics[metric::connections_refused].get(), 0U);
  EXPECT_EQ(connections, 0);
  shortage.leave(8);
  advance(100ms);
  EXPECT_EQ(shortages, 2);
  EXPECT_EQ(connections, 1);
}

TEST_F(acceptor_of_connections, without_descriptors_anywhere_turns_all_away_with_the_reason) {
  if (is_misjudged_without_descriptors) GTEST_SKIP() << misjudged_without_descriptors;
  std::vector<gate_client> clients;
  for (int i = 0; i < 3; ++i) {
    clients.emplace_back(connected());
    clients.back().send(hello());
  }
  const descriptor_shortage shortage;
  run();
  for (gate_client& client : clients) {
    const auto got = client.receive();
    ASSERT_EQ(got.size(), 1U);
    EXPECT_EQ(got.front().refusal().code(), 8U);
    EXPECT_THAT(got.front().refusal().message(), HasSubstr("EMFILE; this process may have 300: ulimit -n"));
    EXPECT_TRUE(client.receive().empty() && client.closed());
  }
  EXPECT_EQ(metrics[metric::connections_refused].get(), 3U);
  EXPECT_EQ(connections, 0);
}

TEST_F(acceptor_of_connections, without_descriptors_and_without_clients_has_nothing_to_say) {
  if (is_misjudged_without_descriptors) GTEST_SKIP() << misjudged_without_descriptors;
  const gate_client client{connected()};
  const descriptor_shortage shortage;
  run();
  advance(1s);
  EXPECT_EQ(shortages, 1) << "the one client has been turned away";
}

TEST_F(acceptor_of_connections, goes_on_after_an_owner_that_threw) {
  std::vector<std::string> errors;
  loop.set_error_handler([&errors](std::string_view where, const std::exception_ptr& error) {
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& thrown) {
      errors.push_back(std::string{where} + ": " + thrown.what());
    }
  });
  for (const int function : {1, 2}) {
    throws = function;
    const int before = connections;
    const unique_fd first = connected();
    run();
    advance(100ms);
    const unique_fd second = connected();
    run();
    EXPECT_GT(connections, before);
    EXPECT_THAT(errors, testing::ElementsAre("accepting a connection: function " + std::to_string(function) +
                                             " of the owner failed"));
    errors.clear();
  }
}

TEST_F(acceptor_of_connections, turns_away_also_after_an_owner_that_threw) {
  if (is_misjudged_without_descriptors) GTEST_SKIP() << misjudged_without_descriptors;
  std::vector<std::string_view> errors;
  loop.set_error_handler([&errors](std::string_view where, const std::exception_ptr&) { errors.push_back(where); });
  for (const int function : {3, 4, 5}) {
    throws = function;
    // Of the two one may be lost to the owner that threw.
    gate_client first{connected()};
    gate_client second{connected()};
    {
      const descriptor_shortage shortage;
      run();
      advance(100ms);
      advance(100ms);
    }
    EXPECT_THAT(errors, testing::ElementsAre("accepting a connection"));
    const auto refusals = first.receive().size() + second.receive().size();
    EXPECT_GE(refusals, 1U) << "function " << function;
    errors.clear();
    advance(100ms);
  }
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
