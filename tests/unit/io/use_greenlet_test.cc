// SPDX-License-Identifier: Apache-2.0
#include "worker/io/use_greenlet.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <array>
#include <asio/buffer.hpp>
#include <asio/compose.hpp>
#include <asio/experimental/as_tuple.hpp>
#include <asio/experimental/channel.hpp>
#include <asio/experimental/deferred.hpp>
#include <asio/experimental/parallel_group.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <asio/read.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>
#include <cstddef>
#include <functional>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/unit/io/io_fixture.h"
#include "worker/greenlet/check_stack.h"
#include "worker/hub/hub.h"
#include "worker/io/subprocess.h"
#include "worker/io/thread_pool.h"
#include "worker/tasks/task.h"
#include "worker/tasks/timeout.h"

namespace grove {
namespace {

using namespace std::chrono_literals;
using asio::ip::tcp;

/// With two connected sockets.
class sockets : public io_fixture {
 protected:
  sockets() {
    tcp::acceptor listening(loop.io(), tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    near.connect(listening.local_endpoint());
    listening.accept(far);
  }

  tcp::socket near{loop.io()};
  tcp::socket far{loop.io()};
};

TEST_F(sockets, transfer_between_two_greenlets) {
  in_greenlet([&] {
    auto echo = spawn([&] {
      std::array<char, 5> got{};
      const std::size_t n = asio::async_read(far, asio::buffer(got), use_greenlet);
      asio::async_write(far, asio::buffer(got, n), use_greenlet);
      return n;
    });
    EXPECT_EQ(asio::async_write(near, asio::buffer("hello", 5), use_greenlet), 5U);
    std::string back(5, ' ');
    EXPECT_EQ(asio::async_read(near, asio::buffer(back), use_greenlet), 5U);
    EXPECT_EQ(back, "hello");
    EXPECT_EQ(echo->get(), 5U);
  });
}

TEST_F(sockets, accept_and_connect) {
  in_greenlet([&] {
    tcp::acceptor listening(loop.io(), tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    auto server = spawn([&] { return listening.async_accept(use_greenlet); });
    tcp::socket client(loop.io());
    client.async_connect(listening.local_endpoint(), use_greenlet);
    tcp::socket served = server->get();
    EXPECT_EQ(served.remote_endpoint(), client.local_endpoint());
  });
}

TEST_F(sockets, throw_a_system_error_or_store_the_code) {
  in_greenlet([&] {
    far.close();
    std::array<char, 5> room{};
    try {
      asio::async_read(near, asio::buffer(room), use_greenlet);
      FAIL() << "it must throw";
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code(), asio::error::eof);
    }
    asio::error_code code;
    EXPECT_EQ(near.async_read_some(asio::buffer(room), use_greenlet[code]), 0U);
    EXPECT_EQ(code, asio::error::eof);
  });
}

TEST_F(sockets, suspend_only_the_caller) {
  in_greenlet([&] {
    std::string order;
    auto reading = spawn([&] {
      std::array<char, 1> room{};
      asio::async_read(near, asio::buffer(room), use_greenlet);
      order += "read";
    });
    auto other = spawn([&] {
      yield();
      order += "other ";
      asio::async_write(far, asio::buffer("x", 1), use_greenlet);
    });
    reading->join();
    other->join();
    EXPECT_EQ(order, "other read");
  });
}

TEST_F(sockets, are_cancelled_by_a_timeout) {
  in_greenlet([&] {
    std::array<char, 1> room{};
    timeout limit(1ms);
    bool fired = false;
    try {
      asio::async_read(near, asio::buffer(room), use_greenlet);
    } catch (const timeout_expired& thrown) {
      fired = limit.owns(thrown);
    }
    EXPECT_TRUE(fired);
  });
}

TEST_F(sockets, are_cancelled_by_a_kill_and_stay_usable) {
  in_greenlet([&] {
    auto reading = spawn([&] {
      std::array<char, 1> room{};
      asio::async_read(near, asio::buffer(room), use_greenlet);
    });
    yield();
    EXPECT_TRUE(reading->kill());
    EXPECT_TRUE(reading->exited());
    asio::async_write(far, asio::buffer("y", 1), use_greenlet);
    std::array<char, 1> room{};
    EXPECT_EQ(asio::async_read(near, asio::buffer(room), use_greenlet), 1U);
    EXPECT_EQ(room[0], 'y');
  });
}

TEST_F(sockets, throw_at_once_what_was_pending_and_leave_the_data) {
  in_greenlet([&] {
    std::array<char, 1> room{};
    loop.interrupt(greenlet::current(), std::make_exception_ptr(1));
    EXPECT_THROW(asio::async_read(near, asio::buffer(room), use_greenlet), int);
    asio::async_write(far, asio::buffer("z", 1), use_greenlet);
    EXPECT_EQ(asio::async_read(near, asio::buffer(room), use_greenlet), 1U);
  });
}

TEST_F(sockets, that_succeed_in_spite_of_an_interrupt_return_and_keep_it_for_the_next_wait) {
  in_greenlet([&] {
    asio::write(far, asio::buffer("w", 1));
    near.wait(tcp::socket::wait_read);
    std::array<char, 1> room{};
    // The data is there, so the operation completes while the interrupt is pending.
    loop.interrupt(greenlet::current(), std::make_exception_ptr(1));
    EXPECT_EQ(near.async_read_some(asio::buffer(room), use_greenlet), 1U);
    EXPECT_EQ(room[0], 'w');
    EXPECT_TRUE(loop.interrupt_pending(greenlet::current()));
    EXPECT_THROW(yield(), int);
  });
}

TEST_F(sockets, of_a_dropped_greenlet_give_their_buffers_back) {
  greenlet_ptr raw = greenlet::make([&] {
    std::array<char, 64> room{};
    asio::async_read(near, asio::buffer(room), use_greenlet);
  });
  raw->resume();
  EXPECT_EQ(loop.waiting(), 1U);
  raw.reset();
  EXPECT_EQ(loop.waiting(), 0U);
  asio::write(far, asio::buffer("late", 4));
  loop.run_ready();
}

TEST_F(sockets, and_timers_of_asio_wait) {
  in_greenlet([&] {
    asio::steady_timer timer(loop.io(), 1ms);
    timer.async_wait(use_greenlet);
    asio::steady_timer cancelled(loop.io(), 1h);
    auto task = spawn([&] {
      asio::error_code code;
      cancelled.async_wait(use_greenlet[code]);
      return code;
    });
    yield();
    cancelled.cancel();
    EXPECT_EQ(task->get(), asio::error::operation_aborted);
  });
}

TEST_F(sockets, that_are_closed_while_another_greenlet_waits_abort_its_operation) {
  in_greenlet([&] {
    tcp::acceptor listening(loop.io(), tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    std::vector<spawned<asio::error_code>> waiting;
    waiting.push_back(spawn([&] {
      std::array<char, 1> room{};
      asio::error_code code;
      asio::async_read(near, asio::buffer(room), use_greenlet[code]);
      return code;
    }));
    waiting.push_back(spawn([&] {
      asio::error_code code;
      far.async_wait(tcp::socket::wait_read, use_greenlet[code]);
      return code;
    }));
    waiting.push_back(spawn([&] {
      asio::error_code code;
      (void)listening.async_accept(use_greenlet[code]);
      return code;
    }));
    yield();
    near.close();
    far.close();
    listening.close();
    for (auto& each : waiting)
      EXPECT_EQ(each->get(), asio::error::operation_aborted);
  });
}

/// An operation of two steps, as users write them: it does not ask between its steps whether it was cancelled.
template <typename Token>
auto async_echo_once(tcp::socket& socket, asio::mutable_buffer room, Token&& token) {
  enum class step { begin, written, read };
  return asio::async_compose<Token, void(asio::error_code, std::string, std::size_t)>(
      [&socket, room, at = step::begin](auto& self, asio::error_code error = {}, std::size_t size = 0) mutable {
        if (error || at == step::read) return self.complete(error, "echoed", size);
        if (at == step::begin) {
          at = step::written;
          return asio::async_write(socket, room, std::move(self));
        }
        at = step::read;
        asio::async_read(socket, room, std::move(self));
      },
      token, socket);
}

TEST_F(sockets, take_part_in_composed_operations) {
  in_greenlet([&] {
    auto echo = spawn([&] {
      std::array<char, 4> got{};
      asio::async_read(far, asio::buffer(got), use_greenlet);
      asio::async_write(far, asio::buffer(got), use_greenlet);
    });
    std::array<char, 4> room{'p', 'i', 'n', 'g'};
    const auto [text, size] = async_echo_once(near, asio::buffer(room), use_greenlet);
    EXPECT_EQ(text, "echoed");
    EXPECT_EQ(size, 4U);
    auto killed = spawn([&] { async_echo_once(near, asio::buffer(room), use_greenlet); });
    yield();
    EXPECT_TRUE(killed->kill());
    EXPECT_TRUE(killed->exited());
  });
}

TEST_F(sockets, take_part_in_groups_of_operations) {
  namespace experimental = asio::experimental;
  in_greenlet([&] {
    asio::steady_timer timer(loop.io(), 1h);
    std::array<char, 1> room{};
    asio::write(far, asio::buffer("x", 1));
    const auto [order, read_error, size, wait_error] =
        experimental::make_parallel_group(
            [&](auto token) { return near.async_read_some(asio::buffer(room), std::move(token)); },
            [&](auto token) { return timer.async_wait(std::move(token)); })
            .async_wait(experimental::wait_for_one(), use_greenlet);
    EXPECT_EQ(order, (std::array<std::size_t, 2>{0, 1}));
    EXPECT_FALSE(read_error);
    EXPECT_EQ(size, 1U);
    EXPECT_EQ(wait_error, asio::error::operation_aborted);

    auto killed = spawn([&] {
      experimental::make_parallel_group(
          [&](auto token) { return near.async_read_some(asio::buffer(room), std::move(token)); },
          [&](auto token) { return timer.async_wait(std::move(token)); })
          .async_wait(experimental::wait_for_all(), use_greenlet);
    });
    yield();
    EXPECT_TRUE(killed->kill());
    EXPECT_TRUE(killed->ready());
  });
}

TEST_F(sockets, lose_no_limit_behind_as_tuple) {
  using asio::experimental::as_tuple;
  in_greenlet([&] {
    std::array<char, 1> room{};
    const auto read = [&] { return near.async_read_some(asio::buffer(room), as_tuple(use_greenlet)); };
    EXPECT_FALSE(with_timeout(1ms, read));
    asio::experimental::channel<void(std::exception_ptr, int)> channel(loop.io());
    EXPECT_FALSE(with_timeout(1ms, [&] { return channel.async_receive(as_tuple(use_greenlet)); }));
    asio::steady_timer timer(loop.io(), 1h);
    EXPECT_FALSE(with_timeout(1ms, [&] { return timer.async_wait(as_tuple(use_greenlet)); }));
    auto killed = spawn(read);
    yield();
    killed->kill();
    EXPECT_TRUE(killed->exited());
    far.close();
    EXPECT_EQ(std::get<0>(read()), asio::error::eof);
  });
}

TEST_F(sockets, and_what_cannot_fail_returns_what_it_has) {
  in_greenlet([&] {
    asio::post(loop.io(), use_greenlet);
    const auto number = asio::async_initiate<const use_greenlet_t&, void(int)>(
        [](auto handler) { std::move(handler)(7); }, use_greenlet);
    EXPECT_EQ(number, 7);
    const std::tuple<asio::error_code, std::size_t> both =
        near.async_write_some(asio::buffer("x", 1), asio::experimental::as_tuple(use_greenlet));
    EXPECT_EQ(both, std::tuple(asio::error_code(), 1U));
    std::array<char, 1> room{};
    EXPECT_EQ(far.async_read_some(asio::buffer(room), asio::experimental::deferred)(use_greenlet), 1U);
    asio::experimental::channel<void(asio::error_code, std::string)> channel(loop.io());
    auto receiver = spawn([&] { return channel.async_receive(use_greenlet); });
    channel.async_send({}, "through", use_greenlet);
    EXPECT_EQ(receiver->get(), "through");
  });
}

TEST_F(sockets, resolve_names_in_the_thread_of_asio) {
  in_greenlet([&] {
    tcp::resolver resolver(loop.io());
    const tcp::resolver::results_type found = resolver.async_resolve("127.0.0.1", "80", use_greenlet);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found.begin()->endpoint(), tcp::endpoint(asio::ip::address_v4::loopback(), 80));
  });
}

TEST_F(sockets, share_the_signals_of_the_process_with_other_hubs) {
  std::thread([] {
    const system_clock own_time;
    hub other(own_time);
    const asio::signal_set signals(other.io(), SIGUSR2);
  }).join();
  in_greenlet([&] {
    asio::signal_set signals(loop.io(), SIGUSR1);
    auto waits = spawn([&] { return signals.async_wait(use_greenlet); });
    yield();
    ::raise(SIGUSR1);
    EXPECT_EQ(waits->get(), SIGUSR1);
  });
}

TEST_F(sockets, begin_nothing_on_a_stack_that_is_nearly_used_up) {
  struct deep {
    static void call(const std::function<void()>& what) {
      volatile std::byte room[512];
      room[0] = std::byte{};
      if (stack_remaining() < stack_low_mark)
        what();
      else
        call(what);
      room[1] = room[0];
    }
  };
  in_greenlet([&] {
    deep::call([&] {
      asio::steady_timer timer(loop.io(), 1h);
      EXPECT_THROW(timer.async_wait(use_greenlet), stack_low);
    });
    deep::call([&] { EXPECT_THROW(call_in_thread([] {}), stack_low); });
    deep::call([&] { EXPECT_THROW(subprocess::start({"/bin/true"}), stack_low); });
  });
}

TEST_F(sockets, carry_a_hundred_greenlets_at_once) {
  in_greenlet([&] {
    std::vector<spawned<bool>> all;
    std::vector<std::pair<tcp::socket, tcp::socket>> pairs;
    tcp::acceptor listening(loop.io(), tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    for (int i = 0; i < 100; ++i) {
      tcp::socket a(loop.io());
      tcp::socket b(loop.io());
      a.connect(listening.local_endpoint());
      listening.accept(b);
      pairs.emplace_back(std::move(a), std::move(b));
    }
    all.reserve(pairs.size());
    for (auto& pair : pairs) {
      all.push_back(spawn([&pair] {
        for (int round = 0; round < 20; ++round) {
          std::array<char, 4> room{};
          asio::async_write(pair.first, asio::buffer("ping", 4), use_greenlet);
          if (asio::async_read(pair.second, asio::buffer(room), use_greenlet) != 4) return false;
        }
        return true;
      }));
    }
    for (auto& task : all)
      EXPECT_TRUE(task->get());
  });
}

}  // namespace
}  // namespace grove
