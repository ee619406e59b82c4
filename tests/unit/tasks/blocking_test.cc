// SPDX-License-Identifier: Apache-2.0

// What every call that waits must do, whatever it waits for (the idea of gevent's testing/timing.py).

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "tests/support/hub_fixture.h"
#include "worker/tasks/async_result.h"
#include "worker/tasks/event.h"
#include "worker/tasks/iwait.h"
#include "worker/tasks/queue.h"
#include "worker/tasks/semaphore.h"
#include "worker/tasks/task.h"
#include "worker/tasks/timeout.h"

namespace grove {
namespace {

using namespace std::chrono_literals;
using until_time = std::optional<steady_time>;

/// Things that never become ready.
struct never {
  explicit never(hub& on) : loop(on) {
    full.push(1);
    taken.push(1);
    (void)taken.pop();
    loop.run_ready();
  }
  hub& loop;
  event flag{loop};
  async_result<int> result{loop};
  semaphore permits{loop, 0};
  bounded_semaphore bounded{loop, 0};
  rlock lock{loop};
  spawned<void> owner = spawn_on(loop, [this] {
    lock.acquire();
    flag.wait();
    lock.release();
  });
  spawned<int> survivor = spawn_on(loop, [this] {
    for (;;) {
      try {
        flag.wait();
        return 1;
      } catch (const greenlet_exit&) {
      }
    }
  });
  queue<int> empty{loop};
  queue<int> full{loop, 1};
  queue<int> taken{loop};
  lifo_queue<int> stack{loop};
  ordered_queue<int> ordered{loop};
  channel<int> meeting{loop};
  int item = 0;
};

struct blocking {
  const char* name;
  /// Waits, at most until the time; true if it got what it waits for.
  bool (*call)(never&, until_time);
};
void PrintTo(const blocking& of, std::ostream* to) {
  *to << of.name;
}

template <typename T>
bool got(const T& value) {
  return static_cast<bool>(value);
}

const blocking calls[] = {
    {"sleep", [](never& n, until_time t) { return sleep_until(t.value_or(time_after(n.loop.now(), 10h))), false; }},
    {"event", [](never& n, until_time t) { return t ? n.flag.wait_until(*t) : (n.flag.wait(), true); }},
    {"result_get", [](never& n, until_time t) { return t ? got(n.result.get_until(*t)) : (n.result.get(), true); }},
    {"result_wait", [](never& n, until_time t) { return got(n.result.wait(t)); }},
    {"semaphore", [](never& n, until_time t) { return t ? n.permits.acquire_until(*t) : (n.permits.acquire(), true); }},
    {"bounded", [](never& n, until_time t) { return t ? n.bounded.acquire_until(*t) : (n.bounded.acquire(), true); }},
    {"rlock", [](never& n, until_time t) { return t ? n.lock.acquire_until(*t) : (n.lock.acquire(), true); }},
    {"pop", [](never& n, until_time t) { return t ? got(n.empty.pop_until(*t)) : (n.empty.pop(), true); }},
    {"next", [](never& n, until_time t) { return t ? got(n.empty.pop_until(*t)) : got(n.empty.next()); }},
    {"push", [](never& n, until_time t) { return t ? n.full.push_until(n.item, *t) : (n.full.push(1), true); }},
    {"front", [](never& n, until_time t) { return got(n.empty.front(t)); }},
    {"queue_join", [](never& n, until_time t) { return n.taken.join(t); }},
    {"lifo", [](never& n, until_time t) { return t ? got(n.stack.pop_until(*t)) : (n.stack.pop(), true); }},
    {"ordered", [](never& n, until_time t) { return t ? got(n.ordered.pop_until(*t)) : (n.ordered.pop(), true); }},
    {"channel_pop", [](never& n, until_time t) { return t ? got(n.meeting.pop_until(*t)) : (n.meeting.pop(), true); }},
    {"channel_push",
     [](never& n, until_time t) { return t ? n.meeting.push_until(n.item, *t) : (n.meeting.push(1), true); }},
    {"join", [](never& n, until_time t) { return n.survivor->join(t); }},
    {"get",
     [](never& n, until_time t) {
       try {
         return n.survivor->get(t) == 1;
       } catch (const task_unfinished&) {
         return false;
       }
     }},
    {"kill", [](never& n, until_time t) { return n.survivor->kill(kill_mode::wait, nullptr, t); }},
    {"wait_any",
     [](never& n, until_time t) {
       return got(wait_any({n.flag, n.permits, n.survivor}, t));
     }},
    {"wait_all",
     [](never& n, until_time t) {
       return !wait_all({n.flag, n.empty}, t).empty();
     }},
};

class every_wait : public hub_fixture, public testing::WithParamInterface<blocking> {
 public:
  /// The call in a greenlet; `body` is given the call.
  spawned<std::string> run(std::function<std::string(const std::function<bool(until_time)>&)> body) {
    auto task = spawn([this, body = std::move(body)] {
      return body([this](until_time until) { return GetParam().call(things, until); });
    });
    loop.run_ready();
    return task;
  }
  void TearDown() override {
    things.flag.set();
    hub_fixture::TearDown();
  }
  never things{loop};
};

TEST_P(every_wait, returns_at_its_time) {
  auto task = run([this](const auto& call) { return call(time_after(loop.now(), 1s)) ? "got" : "over"; });
  advance(999ms);
  EXPECT_FALSE(task->ready());
  advance(1ms);
  EXPECT_EQ(task->get(), "over");
}

TEST_P(every_wait, throws_the_timeout_that_it_is_given) {
  auto task = run([](const auto& call) -> std::string {
    const timeout outer(10s);
    const timeout given(1s);
    try {
      call(std::nullopt);
    } catch (const timeout_expired& thrown) {
      return given.owns(thrown) ? "given" : "another";
    }
    return "returned";
  });
  advance(1s);
  EXPECT_EQ(task->get(), "given");
}

TEST_P(every_wait, lets_an_outer_timeout_through) {
  auto task = run([this](const auto& call) -> std::string {
    const timeout outer(1s);
    try {
      (void)with_timeout(2s, [&] { (void)call(time_after(loop.now(), 3s)); });
    } catch (const timeout_expired& thrown) {
      return outer.owns(thrown) ? "outer" : "another";
    }
    return "lost";
  });
  advance(1s);
  EXPECT_EQ(task->get(), "outer");
}

TEST_P(every_wait, does_not_lose_an_outer_timeout_that_is_due_with_its_own) {
  auto task = run([this](const auto& call) -> std::string {
    const timeout outer(1s);
    try {
      (void)with_timeout(1s, [&] { (void)call(time_after(loop.now(), 1s)); });
      yield();
    } catch (const timeout_expired& thrown) {
      return outer.owns(thrown) ? "outer" : "another";
    }
    return "lost";
  });
  advance(1s);
  EXPECT_EQ(task->get(), "outer");
}

TEST_P(every_wait, ends_with_a_kill) {
  auto task = run([](const auto& call) { return call(std::nullopt) ? "got" : "over"; });
  task->kill(kill_mode::do_not_wait);
  loop.run_ready();
  EXPECT_TRUE(task->exited());
}

TEST_P(every_wait, throws_in_the_hub) {
  EXPECT_THROW((void)GetParam().call(things, std::nullopt), blocking_in_hub);
  EXPECT_THROW((void)GetParam().call(things, time_after(loop.now(), 1s)), blocking_in_hub);
}

INSTANTIATE_TEST_SUITE_P(of, every_wait, testing::ValuesIn(calls),
                         [](const auto& at) { return std::string(at.param.name); });

}  // namespace
}  // namespace grove
