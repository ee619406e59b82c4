// SPDX-License-Identifier: Apache-2.0
// Waits of greenlets whose stacks belong to others meanwhile.
#include <gtest/gtest.h>

#include <array>
#include <asio/buffer.hpp>
#include <asio/local/connect_pair.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/write.hpp>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/hub_fixture.h"
#include "worker/io/use_greenlet.h"
#include "worker/tasks/event.h"
#include "worker/tasks/queue.h"
#include "worker/tasks/semaphore.h"
#include "worker/tasks/task.h"
#include "worker/tasks/timeout.h"

namespace grove {
namespace {

using namespace std::chrono_literals;

class sliced_waits : public hub_fixture {
 protected:
  template <typename F>
  auto spawn_sliced(F&& body) {
    return spawn_on(loop, std::forward<F>(body), std::nullopt, stack_class::sliced);
  }
  /// More than there are stacks to share.
  static constexpr int count = 40;
};

TEST_F(sliced_waits, sleep_and_wake_in_the_order_of_their_times) {
  std::vector<int> woken;
  for (int i = 0; i < count; ++i)
    spawn_sliced([i, &woken] {
      sleep_for((count - i) * 10ms);
      yield();
      woken.push_back(i);
    });
  loop.run_ready();
  for (int i = 0; i < count; ++i)
    advance(10ms);
  ASSERT_EQ(woken.size(), std::size_t{count});
  EXPECT_TRUE(std::is_sorted(woken.rbegin(), woken.rend()));
}

TEST_F(sliced_waits, end_in_time_with_the_timeout_that_they_have) {
  int own = 0;
  for (int i = 0; i < count; ++i)
    spawn_sliced([&own] {
      timeout outer(1s);
      const bool in_time = with_timeout(10ms, [] { sleep_for(1h); });
      try {
        sleep_for(1h);
      } catch (const timeout_expired& thrown) {
        own += static_cast<int>(!in_time && outer.owns(thrown));
      }
    });
  loop.run_ready();
  advance(10ms);
  advance(1s);
  EXPECT_EQ(own, count);
}

TEST_F(sliced_waits, pass_items_through_queues_and_channels) {
  queue<std::string> items(loop, 2);
  queue<std::string> rendezvous(loop, 0);
  semaphore permits(loop, 3);
  event go(loop);
  int received = 0;
  for (int i = 0; i < count; ++i) {
    spawn_sliced([&, i] {
      go.wait();
      permits.acquire();
      items.push("item number " + std::to_string(i) + ", too long for a short string");
      permits.release();
    });
    spawn_sliced([&] { rendezvous.push(items.pop()); });
    spawn_sliced([&] { received += static_cast<int>(rendezvous.pop().starts_with("item number")); });
  }
  loop.run_ready();
  go.set();
  loop.run_ready();
  EXPECT_EQ(received, count);
}

TEST_F(sliced_waits, are_joined_and_killed_as_any_other) {
  std::vector<spawned<int>> sleepers;
  for (int i = 0; i < count; ++i)
    sleepers.push_back(spawn_sliced([i] {
      sleep_for(i % 2 == 0 ? 10ms : 1h);
      return i;
    }));
  int sum = 0;
  auto summing = spawn_sliced([&] {
    for (int i = 0; i < count; i += 2)
      sum += sleepers[static_cast<std::size_t>(i)]->get();
    for (int i = 1; i < count; i += 2)
      sleepers[static_cast<std::size_t>(i)]->kill();
  });
  loop.run_ready();
  advance(10ms);
  EXPECT_TRUE(summing->successful());
  EXPECT_EQ(sum, (count / 2) * (count / 2 - 1));
  EXPECT_TRUE(sleepers[1]->exited());
}

TEST_F(sliced_waits, read_and_write_buffers_that_are_not_on_their_stacks) {
  using socket = asio::local::stream_protocol::socket;
  int intact = 0;
  for (int i = 0; i < count; ++i) {
    auto near = std::make_shared<socket>(loop.io());
    auto far = std::make_shared<socket>(loop.io());
    asio::local::connect_pair(*near, *far);
    spawn_sliced([near, &intact, i] {
      const auto buffer = std::make_unique<std::array<char, 16>>();
      const std::size_t size = near->async_read_some(asio::buffer(*buffer), use_greenlet);
      intact += static_cast<int>(std::string(buffer->data(), size) == std::to_string(i));
    });
    spawn_sliced([far, i] {
      const auto text = std::make_unique<std::string>(std::to_string(i));
      asio::async_write(*far, asio::buffer(*text), use_greenlet);
    });
  }
  loop.run_ready();
  EXPECT_EQ(intact, count);
}

}  // namespace
}  // namespace grove
