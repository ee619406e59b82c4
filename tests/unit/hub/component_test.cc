// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <asio/post.hpp>
#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>

#include "tests/support/hub_fixture.h"
#include "worker/hub/hub.h"

namespace grove {
namespace {

class scripted final : public hub_component {
 public:
  bool poll() override {
    ++polls;
    if (fails) throw std::runtime_error("component");
    if (work == 0) return false;
    --work;
    return true;
  }
  bool prepare_sleep() override {
    ++prepared;
    return prepared > refusals;
  }
  void woke() override { ++woken; }

  int work = 0;
  bool fails = false;
  int refusals = 0;
  int polls = 0;
  int prepared = 0;
  int woken = 0;
};

class components : public hub_fixture {
 protected:
  components() { loop.attach(part); }
  ~components() override { loop.detach(part); }
  scripted part;
};

TEST_F(components, are_polled_each_pass_until_they_have_nothing_to_do) {
  part.work = 10;
  EXPECT_TRUE(loop.run_ready());
  EXPECT_EQ(part.work, 0);
  EXPECT_EQ(part.polls, 11);
  EXPECT_EQ(part.prepared, 0);
}

TEST_F(components, that_throw_are_reported) {
  part.fails = true;
  loop.poll();
  part.fails = false;
  expected_errors = {"a component of the hub: component"};
}

TEST_F(components, are_asked_before_sleeping_and_told_of_waking) {
  part.refusals = 1;
  std::thread other([&] { loop.stop(); });
  loop.run();
  other.join();
  EXPECT_EQ(part.prepared, part.woken);
}

TEST_F(components, that_refuse_to_sleep_are_polled_again) {
  part.refusals = 5;
  asio::post(loop.io(), [this] { asio::post(loop.io(), [this] { loop.stop(); }); });
  loop.run();
  EXPECT_GT(part.polls, 0);
  EXPECT_EQ(part.prepared, part.woken);
}

/// Takes work from another thread as the mesh does: the sender pokes only if the receiver says that it sleeps.
class mailbox final : public hub_component {
 public:
  explicit mailbox(hub& on) : on_(on) {}
  bool poll() override {
    const int found = sent_.load(std::memory_order_acquire);
    const bool any = found != taken.load(std::memory_order_relaxed);
    taken.store(found, std::memory_order_release);
    return any;
  }
  bool prepare_sleep() override {
    asleep_.store(true, std::memory_order_seq_cst);
    return sent_.load(std::memory_order_seq_cst) == taken.load(std::memory_order_relaxed);
  }
  void woke() override { asleep_.store(false, std::memory_order_relaxed); }
  void send() {
    sent_.fetch_add(1, std::memory_order_seq_cst);
    if (asleep_.load(std::memory_order_seq_cst)) on_.poke();
  }
  std::atomic<int> taken{0};

 private:
  hub& on_;
  std::atomic<int> sent_{0};
  std::atomic<bool> asleep_{false};
};

TEST_F(components, miss_no_poke) {
  constexpr int count = 2000;
  mailbox box(loop);
  loop.attach(box);
  std::thread other([&] {
    for (int i = 0; i < count; ++i) {
      box.send();
      while (box.taken.load(std::memory_order_acquire) <= i)
        std::this_thread::yield();
    }
    loop.stop();
  });
  loop.run();
  other.join();
  loop.detach(box);
  EXPECT_EQ(box.taken.load(), count);
}

}  // namespace
}  // namespace grove
