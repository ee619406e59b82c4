// SPDX-License-Identifier: Apache-2.0
#include "worker/io/stream_server.h"

#include <array>
#include <asio/buffer.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>
#include <cerrno>
#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "tests/support/hub_fixture.h"
#include "tests/support/kept_port.h"
#include "tests/unit/io/io_fixture.h"
#include "worker/io/datagram_server.h"
#include "worker/io/use_greenlet.h"
#include "worker/tasks/event.h"

namespace grove {
namespace {

using namespace std::chrono_literals;
using asio::ip::tcp;
using asio::ip::udp;

const tcp::endpoint any_port(asio::ip::address_v4::loopback(), 0);

/// A server whose arrivals are a script: 0 is one that lasts until the event is set, everything else an errno.
class scripted final : public io::detail::serving {
 public:
  scripted(hub& on, std::vector<int> script, std::size_t handlers_max = 100)
      : scripted(on, std::move(script), handlers_max, make_pipe()) {}

  std::size_t taken = 0;
  event release;

 private:
  scripted(hub& on, std::vector<int> script, std::size_t handlers_max, pipe_ends never_ready)
      : serving(on, std::move(never_ready.read),
                {.name = "a script", .handlers_max = handlers_max, .taken_at_once_max = 2}),
        release(on),
        script_(std::move(script)),
        write_end_(std::move(never_ready.write)) {}
  int take() override {
    if (taken == script_.size()) return EAGAIN;
    const int next = script_[taken++];
    if (next == 0) launch([this] { release.wait(); });
    return next;
  }
  std::vector<int> script_;
  unique_fd write_end_;
};

using servers = hub_fixture;

TEST_F(servers, pause_after_errors_from_ten_milliseconds_doubling_to_a_second_until_one_is_taken) {
  std::vector<int> script(9, EMFILE);
  script.insert(script.end(), {0, ENFILE, ECONNABORTED, 0});
  auto server = std::make_shared<scripted>(loop, script);
  server->start();
  server->start();
  loop.run_ready();
  std::size_t errors_so_far = 1;
  for (const auto pause : {10ms, 20ms, 40ms, 80ms, 160ms, 320ms, 640ms, 1000ms}) {
    EXPECT_EQ(server->taken, errors_so_far);
    advance(pause - 1ms);
    EXPECT_EQ(server->taken, errors_so_far) << pause.count();
    advance(1ms);
    ++errors_so_far;
  }
  advance(1s);
  EXPECT_EQ(server->taken, 11U) << "one is taken, and the next error pauses again";
  advance(10ms);
  EXPECT_EQ(server->taken, script.size()) << "an error of one arrival does not pause";
  EXPECT_EQ(server->handlers(), 2U);
  expected_errors.assign(9, "a script: a script: Too many open files");
  expected_errors.push_back("a script: a script: Too many open files in system");
  server->release.set();
  server->close();
  loop.run_ready();
  EXPECT_EQ(server->handlers(), 0U);
}

TEST_F(servers, end_when_their_descriptor_can_never_succeed) {
  auto server = std::make_shared<scripted>(loop, std::vector{EINVAL});
  auto serving = spawn([&] { server->serve(); });
  loop.run_ready();
  EXPECT_TRUE(serving->ready());
  EXPECT_TRUE(server->closed());
  expected_errors = {"a script: a script: Invalid argument"};
}

TEST_F(servers, take_nothing_while_all_handlers_are_busy) {
  auto server = std::make_shared<scripted>(loop, std::vector{0, 0, 0, 0}, 2);
  server->start();
  loop.run_ready();
  EXPECT_EQ(server->handlers(), 2U);
  EXPECT_EQ(server->taken, 2U);
  server->release.set();
  loop.run_ready();
  EXPECT_EQ(server->taken, 4U);
  EXPECT_EQ(server->handlers(), 0U);
  server->abandon();
}

TEST_F(servers, let_others_run_after_so_many_arrivals) {
  auto server = std::make_shared<scripted>(loop, std::vector{0, 0, 0, 0});
  server->start();
  std::size_t seen = 0;
  spawn([&] { seen = server->taken; });
  loop.run_ready();
  EXPECT_EQ(seen, 2U);
  server->abandon();
}

TEST_F(servers, stop_after_the_grace_by_killing_what_is_left) {
  auto server = std::make_shared<scripted>(loop, std::vector{0, 0});
  server->start();
  loop.run_ready();
  auto stopping = spawn([&] { return server->stop(5s); });
  loop.run_ready();
  advance(5s - 1ms);
  EXPECT_EQ(server->handlers(), 2U);
  EXPECT_FALSE(stopping->ready());
  advance(1ms);
  EXPECT_EQ(server->handlers(), 0U);
  EXPECT_TRUE(stopping->get());
}

TEST_F(servers, stop_at_once_when_their_handlers_end) {
  auto server = std::make_shared<scripted>(loop, std::vector{0, 0});
  server->start();
  loop.run_ready();
  auto stopping = spawn([&] { return server->stop(5s); });
  loop.run_ready();
  server->release.set();
  loop.run_ready();
  EXPECT_TRUE(stopping->get());
  server->start();
  EXPECT_TRUE(server->closed()) << "it does not start again";
}

TEST_F(servers, close_when_the_greenlet_that_serves_is_killed) {
  auto server = std::make_shared<scripted>(loop, std::vector<int>{});
  auto serving = spawn([&] { server->serve(); });
  loop.run_ready();
  serving->kill(kill_mode::do_not_wait);
  loop.run_ready();
  EXPECT_TRUE(server->closed());
}

struct wrong_handler {
  void operator()(int) {}
};
static_assert(!stream_server::is_handler<wrong_handler>);
static_assert(!stream_server::is_handler<int>);
static_assert(!stream_server::is_handler<void (*)(local_stream_server::socket&)>);

class stream_servers : public io_fixture {
 protected:
  static std::string ask(tcp::socket& through, std::string_view text) {
    asio::write(through, asio::buffer(text.data(), text.size()));
    std::string answer(text.size(), ' ');
    asio::error_code error;
    answer.resize(asio::async_read(through, asio::buffer(answer), use_greenlet[error]));
    return answer;
  }
  static void echo(tcp::socket& peer) {
    std::array<char, 256> room{};
    for (;;) {
      asio::error_code error;
      const std::size_t size = peer.async_read_some(asio::buffer(room), use_greenlet[error]);
      if (error) return;
      asio::async_write(peer, asio::buffer(room, size), use_greenlet);
    }
  }
  tcp::socket connected_to(const stream_server& server) {
    tcp::socket made(loop.io());
    made.async_connect(server.local_endpoint(), use_greenlet);
    return made;
  }
};

TEST_F(stream_servers, serve_connections_each_in_a_greenlet) {
  in_greenlet([&] {
    stream_server server(loop, any_port, echo);
    EXPECT_NE(server.local_endpoint().port(), 0);
    tcp::socket early = connected_to(server);  // the kernel keeps it until the start
    server.start();
    tcp::socket late = connected_to(server);
    EXPECT_EQ(ask(late, "late"), "late");
    EXPECT_EQ(ask(early, "early"), "early");
    EXPECT_EQ(server.connections(), 2U);
    EXPECT_TRUE(server.stop(0s));
  });
}

TEST_F(stream_servers, tell_who_the_peer_is_and_close_the_socket_after_the_handler) {
  in_greenlet([&] {
    tcp::endpoint seen;
    stream_server server(loop, any_port, [&](tcp::socket&, const tcp::endpoint& peer) { seen = peer; });
    server.start();
    tcp::socket client = connected_to(server);
    EXPECT_EQ(ask(client, "x"), "") << "the end of the file";
    EXPECT_EQ(seen, client.local_endpoint());
    EXPECT_TRUE(server.stop());
  });
}

TEST_F(stream_servers, with_room_for_two_serve_two_of_four_until_one_ends) {
  in_greenlet([&] {
    stream_server server(loop, any_port, echo, {.connections_max = 2});
    server.start();
    std::vector<tcp::socket> clients;
    std::vector<spawned<std::string>> answers;
    clients.reserve(4);
    answers.reserve(4);
    for (int i = 0; i < 4; ++i)
      clients.push_back(connected_to(server));
    for (tcp::socket& client : clients)
      answers.push_back(spawn([&client] { return ask(client, "hi"); }));
    EXPECT_EQ(answers[0]->get(), "hi");
    EXPECT_EQ(answers[1]->get(), "hi");
    EXPECT_FALSE(answers[2]->ready());
    EXPECT_FALSE(answers[3]->ready());
    EXPECT_EQ(server.connections(), 2U);
    clients[0].close();
    EXPECT_EQ(answers[2]->get(), "hi");
    clients[1].close();
    EXPECT_EQ(answers[3]->get(), "hi");
    EXPECT_TRUE(server.stop(0s));
  });
}

TEST_F(stream_servers, outlive_what_a_handler_throws) {
  in_greenlet([&] {
    stream_server server(loop, any_port, [](tcp::socket& peer) {
      std::array<char, 1> room{};
      asio::async_read(peer, asio::buffer(room), use_greenlet);
      if (room[0] == '!') throw std::runtime_error("no");
      asio::async_write(peer, asio::buffer(room), use_greenlet);
    });
    server.start();
    tcp::socket bad = connected_to(server);
    EXPECT_EQ(ask(bad, "!"), "");
    tcp::socket good = connected_to(server);
    EXPECT_EQ(ask(good, "?"), "?");
    EXPECT_TRUE(server.stop());
  });
  expected_errors = {"a handler of a stream server: no"};
}

TEST_F(stream_servers, refuse_connects_after_the_stop_and_may_be_stopped_by_a_handler) {
  in_greenlet([&] {
    stream_server* stopped = nullptr;
    bool went_on = false;
    const test::kept_port port;
    const tcp::endpoint at(asio::ip::address_v4::loopback(), port.number());
    stream_server server(loop, at, [&](tcp::socket&) {
      EXPECT_TRUE(stopped->stop());
      went_on = true;
    });
    stopped = &server;
    auto serving = spawn([&] { server.serve(); });
    tcp::socket client = connected_to(server);
    serving->join();
    EXPECT_EQ(ask(client, "x"), "");
    EXPECT_TRUE(went_on);
    tcp::socket refused(loop.io());
    asio::error_code error;
    refused.async_connect(at, use_greenlet[error]);
    EXPECT_EQ(error, asio::error::connection_refused);
  });
}

TEST_F(stream_servers, on_an_address_in_use_or_with_no_socket_are_errors) {
  stream_server server(loop, any_port, echo);
  EXPECT_THROW(stream_server(loop, server.local_endpoint(), echo), std::system_error);
  EXPECT_THROW(stream_server(loop, unique_fd(), echo), std::system_error);
}

TEST_F(stream_servers, that_are_dropped_kill_their_handlers) {
  in_greenlet([&] {
    auto server = std::make_optional<stream_server>(loop, any_port, echo);
    server->start();
    tcp::socket client = connected_to(*server);
    EXPECT_EQ(ask(client, "x"), "x");
    server.reset();
    // Nothing is sent: a read that succeeds all the same would be answered first.
    std::array<char, 1> room{};
    asio::error_code error;
    client.async_read_some(asio::buffer(room), use_greenlet[error]);
    EXPECT_EQ(error, asio::error::eof);
  });
}

TEST_F(stream_servers, take_over_a_socket_that_listens_and_serve_local_sockets) {
  const std::string path = testing::TempDir() + "grove_stream_server_" + std::to_string(::getpid());
  in_greenlet([&] {
    tcp::acceptor listening(loop.io(), any_port);
    const tcp::endpoint at = listening.local_endpoint();
    stream_server taken(loop, unique_fd(listening.release()), echo);
    EXPECT_EQ(taken.local_endpoint(), at);
    taken.start();
    tcp::socket client = connected_to(taken);
    EXPECT_EQ(ask(client, "taken"), "taken");

    using asio::local::stream_protocol;
    local_stream_server local(loop, stream_protocol::endpoint(path), [](stream_protocol::socket& peer) {
      asio::async_write(peer, asio::buffer("local", 5), use_greenlet);
    });
    local.start();
    stream_protocol::socket near(loop.io());
    near.async_connect(local.local_endpoint(), use_greenlet);
    std::string answer(5, ' ');
    asio::async_read(near, asio::buffer(answer), use_greenlet);
    EXPECT_EQ(answer, "local");
    EXPECT_TRUE(local.stop());
    EXPECT_TRUE(taken.stop(0s));
  });
  EXPECT_FALSE(std::filesystem::exists(path));
}

class datagram_servers : public io_fixture {
 protected:
  udp::socket client{loop.io(), udp::endpoint(asio::ip::address_v4::loopback(), 0)};
  const udp::endpoint any_port{asio::ip::address_v4::loopback(), 0};

  std::string receive() {
    std::array<char, 256> room{};
    udp::endpoint from;
    const std::size_t size = client.async_receive_from(asio::buffer(room), from, use_greenlet);
    return {room.data(), size};
  }
};

TEST_F(datagram_servers, reply_to_each_sender_and_outlive_what_a_handler_throws) {
  in_greenlet([&] {
    datagram_server server(loop, any_port, [](datagram& got) {
      if (got.bytes == "!") throw std::runtime_error("no");
      got.reply(got.bytes + " to " + std::to_string(got.from.port()));
    });
    server.start();
    const std::string port = std::to_string(client.local_endpoint().port());
    for (const char* text : {"!", "hi"})
      client.send_to(asio::buffer(std::string_view(text)), server.local_endpoint());
    EXPECT_EQ(receive(), "hi to " + port);
    server.send_to("unasked", client.local_endpoint());
    EXPECT_EQ(receive(), "unasked");
    EXPECT_TRUE(server.stop());
    EXPECT_THROW(server.send_to("late", client.local_endpoint()), std::system_error);
  });
  expected_errors = {"a handler of a datagram server: no"};
}

TEST_F(datagram_servers, take_datagrams_of_the_limit_and_drop_longer_ones) {
  in_greenlet([&] {
    datagram_server server(loop, any_port, [](datagram& got) { got.reply(std::to_string(got.bytes.size())); },
                           {.datagram_bytes_max = 100});
    server.start();
    for (const std::size_t size : {101U, 100U, 0U})
      client.send_to(asio::buffer(std::string(size, 'x')), server.local_endpoint());
    EXPECT_EQ(receive(), "100");
    EXPECT_EQ(receive(), "0");
    EXPECT_EQ(server.too_long(), 1U);
    EXPECT_TRUE(server.stop());
  });
}

TEST_F(datagram_servers, bound_their_handlers_which_may_reply_while_it_stops) {
  in_greenlet([&] {
    event go(loop);
    datagram_server server(loop, any_port,
                           [&](datagram& got) {
                             go.wait();
                             got.reply(got.bytes);
                           },
                           {.handlers_max = 2});
    server.start();
    for (const char* text : {"a", "b", "c"})
      client.send_to(asio::buffer(std::string_view(text)), server.local_endpoint());
    while (server.handlers() < 2)
      yield();
    for (int i = 0; i < 20; ++i)
      yield();
    EXPECT_EQ(server.handlers(), 2U);
    auto stopping = spawn([&] { return server.stop(10s); });
    yield();
    go.set();
    EXPECT_EQ(receive(), "a");
    EXPECT_EQ(receive(), "b");
    EXPECT_TRUE(stopping->get());
  });
}

}  // namespace
}  // namespace grove
