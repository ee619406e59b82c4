// SPDX-License-Identifier: Apache-2.0
#include "worker/io/thread_pool.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <latch>
#include <memory>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/unit/io/threads_fixture.h"
#include "worker/tasks/event.h"
#include "worker/tasks/iwait.h"
#include "worker/tasks/pool.h"
#include "worker/tasks/timeout.h"

namespace grove {
namespace {

using namespace std::chrono_literals;
using thread_pools = threads_fixture;

TEST_F(thread_pools, call_on_another_thread_and_bring_back_the_value) {
  thread_pool threads;
  run([&] {
    EXPECT_NE(threads.call([] { return std::this_thread::get_id(); }), std::this_thread::get_id());
    EXPECT_EQ(*threads.call([owned = std::make_unique<int>(5)] { return std::make_unique<int>(*owned); }), 5);
    threads.call([] {});
    EXPECT_EQ(threads.threads(), 1U) << "the idle one is used again";
  });
}

TEST_F(thread_pools, suspend_only_the_caller) {
  thread_pool threads;
  gate door;
  auto caller = spawn([&] { return threads.call([&door] { return door.pass(), 1; }); });
  run([&] {
    while (threads.calls() == 0)
      yield();
    door.open();
    EXPECT_EQ(caller->get(), 1);
  });
}

TEST_F(thread_pools, bring_back_what_is_thrown) {
  thread_pool threads;
  run([&] {
    EXPECT_THROW(threads.call([]() -> int { throw std::runtime_error("failed"); }), std::runtime_error);
    EXPECT_THROW(threads.call([] { throw 5; }), int);
    auto failing = threads.submit([] { throw std::runtime_error("failed"); });
    EXPECT_TRUE(failing.join());
    EXPECT_FALSE(failing.successful());
    EXPECT_NE(failing.exception(), nullptr);
    EXPECT_EQ(threads.call([] { return 1; }), 1) << "the thread lives";
  });
}

TEST_F(thread_pools, report_an_error_that_nobody_asks_for) {
  thread_pool threads;
  run([&] {
    threads.submit([] { throw std::runtime_error("unseen"); });
    while (threads.calls() > 0)
      yield();
  });
  expected_errors = {"a call on another thread: unseen"};
}

TEST_F(thread_pools, link_before_and_after_the_end_in_the_hub) {
  thread_pool threads;
  std::string order;
  run([&] {
    auto one = threads.submit([] { return 1; });
    one.link([&](thread_call<int>& ended) { order += loop.in_hub() ? std::to_string(ended.get()) : "?"; });
    one.link([](thread_call<int>&) { throw std::runtime_error("listener"); });
    one.link([&](thread_call<int>&) { order += "b"; });
    one.join();
    order += "j";
    one.link([&](thread_call<int>&) { order += "c"; });
    yield();
  });
  EXPECT_EQ(order, "1bjc");
  expected_errors = {"a link of a call on another thread: listener"};
}

TEST_F(thread_pools, abandon_a_call_that_runs_when_the_caller_is_interrupted) {
  const auto captured = std::make_shared<int>(1);
  const std::weak_ptr<int> seen = captured;
  gate door;
  std::atomic<bool> finished{false};
  {
    thread_pool threads({.threads_max = 1});
    run([&, given = captured]() mutable {
      EXPECT_EQ(with_timeout(0s,
                             [&] {
                               return threads.call([&door, &finished, held = std::move(given)] {
                                 door.pass();
                                 finished = true;
                                 return std::make_shared<int>(2);
                               });
                             }),
                std::nullopt);
      EXPECT_EQ(threads.calls(), 1U);
      auto victim = spawn([&] { threads.call([] { ADD_FAILURE() << "it was withdrawn"; }); });
      yield();
      EXPECT_EQ(threads.queued(), 1U);
      victim->kill();
      EXPECT_EQ(threads.queued(), 0U);
      EXPECT_FALSE(threads.submit([] {}).join(loop.now())) << "the thread is taken";
      door.open();
      threads.call([] {});
      EXPECT_TRUE(finished);
      EXPECT_EQ(captured.use_count(), 1) << "destroyed when it has run";
    });
  }
}

TEST_F(thread_pools, destroy_the_callable_where_it_ran_and_the_result_at_home) {
  struct noted {
    std::thread::id* where;
    explicit noted(std::thread::id* in) : where(in) {}
    noted(noted&& other) noexcept : where(std::exchange(other.where, nullptr)) {}
    ~noted() {
      if (where != nullptr) *where = std::this_thread::get_id();
    }
  };
  std::thread::id callable;
  std::thread::id result;
  std::thread::id ran;
  thread_pool threads;
  run([&] {
    ran =
        threads.call([&result, in = noted(&callable)] { return std::pair(std::this_thread::get_id(), noted(&result)); })
            .first;
  });
  EXPECT_EQ(callable, ran);
  EXPECT_EQ(result, std::this_thread::get_id());
}

TEST_F(thread_pools, bound_their_threads_and_calls) {
  thread_pool threads({.threads_max = 2, .calls_max = 3});
  gate door;
  const auto wait = [&door] { door.pass(); };
  run([&] {
    std::vector<thread_call<void>> calls;
    for (int i = 0; i < 3; ++i)
      calls.push_back(threads.try_submit(wait));
    EXPECT_EQ(threads.threads(), 2U);
    EXPECT_EQ(threads.queued(), 1U);
    EXPECT_FALSE(threads.try_submit(wait));
    EXPECT_FALSE(threads.submit_until(loop.now(), wait));
    EXPECT_FALSE(with_timeout(0s, [&] { (void)threads.submit(wait); }));
    EXPECT_EQ(threads.calls(), 3U);
    door.open();
    EXPECT_TRUE(threads.submit_until(time_after(loop.now(), 1h), wait));
    for (auto& at : calls)
      at.get();
  });
}

TEST_F(thread_pools, end_threads_that_are_idle_for_a_time) {
  thread_pool threads({.idle_for = 5s});
  gate door;
  run([&] {
    std::vector<thread_call<void>> calls;
    for (int i = 0; i < 3; ++i)
      calls.push_back(threads.submit([&door] { door.pass(); }));
    door.open();
    for (auto& at : calls)
      at.get();
    EXPECT_EQ(threads.threads(), 3U);
    time.advance(4s);
    threads.call([] {});
    time.advance(1s);
    while (threads.threads() > 1)
      yield();
    time.advance(3s);
    yield();
    EXPECT_EQ(threads.threads(), 1U) << "used a moment ago";
    time.advance(1s);
    while (threads.threads() > 0)
      yield();
    EXPECT_EQ(threads.call([] { return 1; }), 1) << "a new one comes";
  });
}

TEST_F(thread_pools, are_used_by_the_thread_of_their_hub_only) {
  thread_pool threads;
  std::thread([&] { EXPECT_THROW((void)threads.submit([] {}), invalid_thread_use); }).join();
  std::thread([&] {
    hub other(time);
    EXPECT_THROW((void)threads.try_submit([] {}), invalid_thread_use);
    EXPECT_THROW(threads.resize(1), invalid_thread_use);
  }).join();
}

TEST_F(thread_pools, call_at_once_on_their_own_threads) {
  thread_pool threads({.threads_max = 1});
  run([&] {
    EXPECT_EQ(threads.call([&threads] {
      EXPECT_THROW((void)threads.submit([] {}), invalid_thread_use);
      return threads.call([] { return 5; });
    }),
              5);
  });
}

TEST_F(thread_pools, take_another_size) {
  thread_pool threads({.threads_max = 0});
  gate door;
  run([&] {
    std::vector<thread_call<void>> calls;
    for (int i = 0; i < 3; ++i)
      calls.push_back(threads.submit([&door] { door.pass(); }));
    EXPECT_EQ(threads.threads(), 0U);
    EXPECT_EQ(threads.queued(), 3U);
    threads.resize(2);
    EXPECT_EQ(threads.threads(), 2U);
    threads.resize(1);
    EXPECT_EQ(threads.threads_max(), 1U);
    door.open();
    for (auto& at : calls)
      at.get();
    while (threads.threads() > 1)
      yield();
    threads.resize(0);
    while (threads.threads() > 0)
      yield();
  });
}

TEST_F(thread_pools, stop_withdraws_what_waits_and_joins_what_runs) {
  thread_pool threads({.threads_max = 1});
  gate door;
  run([&] {
    auto running = threads.submit([&door] { return door.pass(), 1; });
    auto waiting = threads.submit([] { return 2; });
    EXPECT_FALSE(threads.stop(loop.now()));
    EXPECT_THROW(waiting.get(), call_withdrawn);
    EXPECT_THROW((void)threads.submit([] {}), call_withdrawn);
    EXPECT_THROW(threads.resize(1), call_withdrawn);
    door.open();
    EXPECT_TRUE(threads.stop());
    EXPECT_TRUE(threads.stop());
    EXPECT_EQ(threads.threads(), 0U);
    EXPECT_EQ(running.get(), 1);
  });
}

TEST_F(thread_pools, that_end_give_back_what_has_run) {
  gate door;
  auto threads = std::make_unique<thread_pool>(thread_pool_options{.threads_max = 1, .calls_max = 2});
  auto running = spawn([&] { return threads->call([&door] { return door.pass(), 1; }); });
  auto waiting = spawn([&] { threads->call([] {}); });
  auto outside = spawn([&] { threads->call([] {}); });
  run([&] {
    EXPECT_EQ(threads->calls(), 2U);
    door.open();
    threads.reset();
    EXPECT_EQ(running->get(), 1);
    EXPECT_THROW(outside->get(), call_withdrawn);
    waiting->join();
  });
  (void)waiting->exception();
}

TEST_F(thread_pools, name_their_threads_and_keep_signals_from_them) {
  std::atomic<int> started{0};
  thread_pool threads({.name = "lookups-of-names", .thread_started = [&started] { ++started; }});
  run([&] {
    threads.call([] {
      std::array<char, 16> name{};
      ::pthread_getname_np(::pthread_self(), name.data(), name.size());
      EXPECT_STREQ(name.data(), "lookups-of--1");
      sigset_t blocked;
      ::pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
      for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGUSR1, SIGALRM, SIGPIPE})
        EXPECT_EQ(::sigismember(&blocked, signal), 1) << signal;
      for (const int fault : {SIGSEGV, SIGBUS, SIGABRT})
        EXPECT_EQ(::sigismember(&blocked, fault), 0) << fault;
    });
    sigset_t here;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &here);
    EXPECT_EQ(::sigismember(&here, SIGTERM), 0);
  });
  EXPECT_EQ(started, 1);
}

TEST_F(thread_pools, have_calls_that_can_be_waited_for_with_others) {
  thread_pool threads;
  event never(loop);
  pool full(0);
  run([&] {
    auto one = threads.submit([] { return 1; });
    EXPECT_EQ(wait_any({never, full, one}), 2U);
    EXPECT_EQ(one.get(), 1);
  });
}

TEST_F(thread_pools, map_items_on_several_threads) {
  thread_pool threads({.threads_max = 3});
  const auto square = [](int i) { return i * i; };
  run([&] {
    std::latch all_run(3);
    EXPECT_EQ(threads.map([&all_run](int i) { return all_run.arrive_and_wait(), i; }, std::vector{1, 2, 3}),
              (std::vector{1, 2, 3}));
    std::vector<int> items(200);
    for (std::size_t i = 0; i < items.size(); ++i)
      items[i] = static_cast<int>(i);
    std::vector<int> squares;
    for (const int at : threads.imap(square, items, 10))
      squares.push_back(at);
    ASSERT_EQ(squares.size(), items.size());
    EXPECT_EQ(squares[199], 199 * 199);
    std::vector<int> unordered;
    for (const int at : threads.imap_unordered(square, items))
      unordered.push_back(at);
    std::sort(unordered.begin(), unordered.end());
    EXPECT_EQ(unordered, squares);
    auto picky = threads.imap([](int i) { return i == 1 ? throw std::runtime_error("one") : i; }, std::vector{0, 1, 2});
    EXPECT_EQ(picky.next(), 0);
    EXPECT_THROW((void)picky.next(), std::runtime_error);
    EXPECT_EQ(picky.next(), 2);
    EXPECT_EQ(picky.next(), std::nullopt);
  });
}

TEST_F(thread_pools, withdraw_the_items_of_a_map_that_is_dropped) {
  thread_pool threads({.threads_max = 1});
  std::atomic<int> ran{0};
  gate door;
  run([&] {
    {
      auto results = threads.imap([&](int i) { return ++ran == 2 ? door.pass() : void(), i; }, std::vector(50, 1));
      EXPECT_EQ(results.next(), 1);
      while (ran < 2)
        yield();
    }
    EXPECT_EQ(threads.calls(), 1U);
    door.open();
    threads.call([] {});
  });
  EXPECT_EQ(ran, 2);
}

TEST_F(thread_pools, of_a_hub_are_made_once) {
  EXPECT_EQ(&thread_pool::of(loop), &thread_pool::of(loop));
  EXPECT_EQ(run([] { return call_in_thread([] { return 5; }); }), 5);
  EXPECT_EQ(thread_pool::of(loop).threads(), 1U);
  run([&] { thread_pool::of(loop).stop(); });
}

TEST(thread_pools_and_hubs, a_hub_may_end_with_calls_in_flight) {
  manual_clock time;
  std::atomic<int> ended{0};
  {
    hub loop(time);
    for (int i = 0; i < 20; ++i) {
      spawn([&] { call_in_thread([&ended] { return ++ended; }); });
    }
    loop.run_ready(3);
  }
  EXPECT_GT(ended, 0) << "those that ran were waited for";
}

TEST(thread_pools_and_hubs, a_pool_may_outlive_its_hub) {
  manual_clock time;
  gate door;
  const auto dropped = std::make_shared<int>(1);
  std::unique_ptr<thread_pool> threads;
  {
    hub loop(time);
    threads = std::make_unique<thread_pool>(thread_pool_options{.threads_max = 1});
    for (int i = 0; i < 2; ++i) {
      spawn([&] {
        threads->call([&door, dropped] {
          door.pass();
          return dropped;
        });
      });
    }
    loop.run_ready();
    (void)threads->submit([dropped] { return dropped; });
  }
  EXPECT_THROW((void)threads->submit([] {}), invalid_thread_use);
  {
    hub other(time);
    EXPECT_THROW((void)threads->submit([] {}), invalid_thread_use);
  }
  door.open();
  threads.reset();
  EXPECT_EQ(dropped.use_count(), 1);
}

TEST(thread_pools_and_hubs, a_pool_may_be_stopped_after_its_hub) {
  manual_clock time;
  std::unique_ptr<thread_pool> threads;
  {
    hub loop(time);
    threads = std::make_unique<thread_pool>();
    spawn([&] {
      threads->call([] {});
      loop.stop();
    });
    loop.run();
    EXPECT_EQ(threads->threads(), 1U);
  }
  EXPECT_TRUE(threads->stop());
  EXPECT_EQ(threads->threads(), 0U);
  EXPECT_TRUE(threads->stop());
}

}  // namespace
}  // namespace grove
