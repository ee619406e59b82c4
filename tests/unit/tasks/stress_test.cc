// SPDX-License-Identifier: Apache-2.0

// A timeout or kill is never lost or delivered twice.
//
// Greenlets wait for events, items, places, permits and time, under up to two time limits each, while a driver wakes
// them, moves the clock, interrupts, takes interrupts back and kills, several of these between two passes of the loop.
// Every greenlet keeps a ledger. Invariants:
//
// - A wait ends in exactly one way, and in one that its ledger allows: at its time, by a wake that really happened, by
//   a limit that is due, has not fired yet and was not cancelled, or by an interrupt or kill that is outstanding.
// - What is outstanding or due at the begin of a wait ends it. So does a limit that was due when the loop last came to
//   rest, whatever happens afterwards.
// - Every interrupt that was accepted is thrown once or was taken back; every first kill is thrown once.
// - No permit and no item is lost or doubled.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <vector>

#include "tests/support/hub_fixture.h"
#include "tests/support/seed.h"
#include "worker/tasks/event.h"
#include "worker/tasks/queue.h"
#include "worker/tasks/semaphore.h"
#include "worker/tasks/task.h"
#include "worker/tasks/timeout.h"

#ifndef __has_feature
#define __has_feature(feature) 0
#endif

namespace grove {
namespace {

using namespace std::chrono_literals;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || __has_feature(address_sanitizer) || \
    __has_feature(thread_sanitizer)
constexpr std::uint64_t waits_wanted = 50'000;
#else
constexpr std::uint64_t waits_wanted = 1'000'000;
#endif
constexpr std::size_t greenlets = 64;

struct interruption {
  std::uint64_t number;
};
struct shot {
  std::uint64_t number;
};

/// A time limit, and what may be said of it.
struct limit {
  limit(hub& on, steady_duration after) : bound(on, after), due(time_after(on.now(), after)) {}
  [[nodiscard]] bool is_due(steady_time at) const { return live && due <= at; }
  timeout bound;
  steady_time due;
  bool live = true;  // not thrown, not cancelled
};

struct ledger {
  task_ptr task;
  std::optional<limit> outer;
  std::optional<limit> inner;
  bool begun = false;
  bool swallows = false;            // goes on after a kill
  std::uint64_t interrupt = 0;      // accepted, neither thrown nor taken back
  std::deque<std::uint64_t> kills;  // asked for and not thrown, which they are in this order
  bool killed = false;
};

class never_lost : public hub_fixture {
 public:
  never_lost() { random.seed(seed); }

  std::uint64_t pick(std::uint64_t below) { return random() % below; }
  std::chrono::milliseconds some_time(std::uint64_t up_to) { return std::chrono::milliseconds(pick(up_to)); }

  void expect(bool holds, const char* what) {
    if (holds || ++faults > 10) return;
    ADD_FAILURE() << what << " (seed " << seed << ", wait " << waits << ")";
  }

  [[nodiscard]] bool must_throw(const ledger& me) const {
    const auto due = [this](const std::optional<limit>& l) { return l && l->is_due(loop.now()); };
    return me.interrupt != 0 || !me.kills.empty() || due(me.outer) || due(me.inner);
  }

  /// One wait that lasts; true if it was woken, false at its time.
  bool wait(ledger& me);
  bool wait_for_event(event& flag, std::uint64_t& sets, std::optional<steady_time> until);
  bool wait_for_item(std::optional<steady_time> until);
  bool wait_for_place(std::optional<steady_time> until);
  bool wait_for_permit(std::optional<steady_time> until);

  /// Runs `what`, which waits, and enters what ended it.
  template <typename F>
  void enter(ledger& me, F&& what);
  void settle(ledger& me);
  void take(limit* thrown);
  void live(ledger& me);

  void drive();
  void wake_some();
  void disturb(ledger& victim);
  void respawn(ledger& slot);
  void end_all();

  const std::uint32_t seed = test::seed();
  std::mt19937_64 random;
  std::uint64_t faults = 0;
  std::uint64_t waits = 0;
  std::uint64_t drives = 0;
  std::array<std::uint64_t, 5> ends{};  // woken, at its time, by limits, interrupts, kills
  bool ending = false;
  steady_time settled = loop.now();  // the time at which the loop last had nothing left to do

  std::array<ledger, greenlets> ledgers;
  std::array<std::unique_ptr<event>, 3> flags;
  std::array<std::uint64_t, 3> sets{};
  semaphore permits{loop, 0};
  std::uint64_t released = 0;
  std::uint64_t acquired = 0;
  queue<std::uint64_t> items{loop};
  std::vector<bool> popped;
  queue<std::uint64_t> places{loop, 2};
  std::vector<char> offered;  // 'o'ffered, 'p'ushed, 't'aken, 'r'efused
  std::uint64_t numbers = 0;
};

bool never_lost::wait(ledger& me) {
  const std::optional<steady_time> until =
      pick(2) == 0 ? std::optional<steady_time>(time_after(loop.now(), some_time(12))) : std::nullopt;
  const bool thrown_at_once = must_throw(me);
  const std::uint64_t before = waits;
  bool woken = false;
  switch (pick(5)) {
    case 0: {
      const steady_time when = until.value_or(loop.now()) + 1ms;
      ++waits;
      sleep_until(when);
      expect(loop.now() >= when, "a sleep ended too early");
      break;
    }
    case 1: {
      const auto which = pick(flags.size());
      woken = wait_for_event(*flags[which], sets[which], until);
      break;
    }
    case 2:
      woken = wait_for_item(until);
      break;
    case 3:
      woken = wait_for_place(until);
      break;
    default:
      woken = wait_for_permit(until);
  }
  if (waits == before) return true;  // there was nothing to wait for
  expect(!thrown_at_once, "what was due or outstanding did not end the wait");
  for (const std::optional<limit>* l : {&me.outer, &me.inner})
    expect(!*l || !(*l)->is_due(settled), "a limit that was due before anything else was lost");
  expect(woken || !until || loop.now() >= *until, "a wait ended before its time");
  ++ends[woken ? 0 : 1];
  return woken;
}

bool never_lost::wait_for_event(event& flag, std::uint64_t& set, std::optional<steady_time> until) {
  const std::uint64_t before = set;
  ++waits;
  const bool woken = until ? flag.wait_until(*until) : (flag.wait(), true);
  expect(!woken || set > before, "an event woke without having been set");
  return woken;
}

bool never_lost::wait_for_item(std::optional<steady_time> until) {
  std::optional<std::uint64_t> got = items.try_pop();
  if (!got) {
    ++waits;
    got = until ? items.pop_until(*until) : items.pop();
  }
  if (!got) return false;
  expect(!popped[*got], "an item came twice");
  popped[*got] = true;
  return true;
}

bool never_lost::wait_for_place(std::optional<steady_time> until) {
  std::uint64_t item = offered.size();
  const std::uint64_t id = item;
  offered.push_back('o');
  struct refused {
    ~refused() {
      if (done) return;
      of.expect(of.offered[id] == 'o', "an item was taken whose push failed");
      of.offered[id] = 'r';
    }
    never_lost& of;
    std::uint64_t id;
    bool done;
  } entry{*this, id, false};
  if (!places.try_push(item)) {
    ++waits;
    if (until) {
      if (!places.push_until(item, *until)) return false;
    } else {
      places.push(item);
    }
  }
  entry.done = true;
  if (offered[id] == 'o') offered[id] = 'p';
  return true;
}

bool never_lost::wait_for_permit(std::optional<steady_time> until) {
  if (!permits.try_acquire()) {
    ++waits;
    if (!until)
      permits.acquire();
    else if (!permits.acquire_until(*until))
      return false;
  }
  ++acquired;
  return true;
}

void never_lost::take(limit* thrown) {
  expect(thrown != nullptr, "a timeout came that belongs to nobody");
  if (thrown == nullptr) return;
  expect(thrown->live, "a timeout fired twice, or after it was cancelled");
  expect(thrown->due <= loop.now(), "a timeout fired too early");
  thrown->live = false;
  ++ends[2];
}

template <typename F>
void never_lost::enter(ledger& me, F&& what) {
  try {
    what();
  } catch (const timeout_expired& thrown) {
    limit* of = nullptr;
    for (std::optional<limit>* l : {&me.outer, &me.inner}) {
      if (*l && (*l)->bound.owns(thrown)) of = &**l;
    }
    take(of);
  } catch (const interruption& thrown) {
    expect(thrown.number == me.interrupt, "an interrupt came that is not outstanding");
    me.interrupt = 0;
    ++ends[3];
  } catch (const shot& thrown) {
    expect(!me.kills.empty() && thrown.number == me.kills.front(), "a kill came twice, or out of turn");
    if (!me.kills.empty()) me.kills.pop_front();
    me.killed = true;
    ++ends[4];
  }
}

/// Everything that is due or outstanding comes at the next waits, one by one, and nothing else does.
void never_lost::settle(ledger& me) {
  do {
    const bool expected = must_throw(me);
    const std::uint64_t before = drives;
    bool thrown = true;
    enter(me, [&] {
      yield();
      thrown = false;
    });
    expect(thrown || !expected, "what was outstanding did not come");
    expect(!thrown || expected || drives != before, "something came that was not outstanding");
  } while (must_throw(me));
}

void never_lost::live(ledger& me) {
  me.begun = true;
  while (!ending && pick(100) != 0 && (!me.killed || me.swallows)) {
    const auto limits = pick(3);
    if (limits > 0) me.outer.emplace(loop, some_time(20));
    if (limits > 1) me.inner.emplace(loop, some_time(20));
    enter(me, [&] { (void)wait(me); });
    if (me.inner && pick(8) == 0) {
      me.inner->bound.cancel();
      me.inner->live = false;
    }
    if (pick(3) == 0) settle(me);
    me.inner.reset();
    me.outer.reset();
  }
  settle(me);
  expect(me.interrupt == 0, "an interrupt is left at the end");
}

void never_lost::respawn(ledger& slot) {
  if (slot.task) {
    expect(slot.task->successful() || !slot.begun, "a greenlet failed");
    expect(slot.kills.empty(), "a kill was lost");
    expect(slot.interrupt == 0, "an interrupt was lost");
  }
  slot.begun = slot.killed = false;
  slot.kills.clear();
  slot.swallows = pick(2) == 0;
  slot.task = spawn([this, &slot] { live(slot); });
}

void never_lost::wake_some() {
  switch (pick(4)) {
    case 0: {
      const auto which = pick(flags.size());
      ++sets[which];
      flags[which]->set();
      flags[which]->clear();
      break;
    }
    case 1:
      for (auto i = pick(6); i > 0; --i) {
        popped.push_back(false);
        items.push(popped.size() - 1);
      }
      break;
    case 2:
      for (auto i = pick(6); i > 0; --i) {
        if (const std::optional<std::uint64_t> taken = places.try_pop()) {
          expect(offered[*taken] == 'o' || offered[*taken] == 'p', "an item was taken twice, or after its push failed");
          offered[*taken] = 't';
        }
      }
      break;
    default:
      for (auto i = pick(6); i > 0; --i) {
        permits.release();
        ++released;
      }
  }
}

void never_lost::disturb(ledger& victim) {
  if (victim.task->ready()) return;
  greenlet* running = victim.task->running_greenlet();
  switch (pick(8)) {
    case 0:
      ++numbers;
      if (!victim.task->kill(kill_mode::do_not_wait, std::make_exception_ptr(shot{numbers}))) {
        victim.kills.push_back(numbers);
      } else {
        (void)victim.task->exception();
        expect(!victim.begun, "a greenlet ended at once that had begun");
      }
      break;
    case 1:
    case 2:
      if (running != nullptr && loop.cancel_interrupt(*running, this)) {
        expect(victim.interrupt != 0, "an interrupt was taken back that was not outstanding");
        victim.interrupt = 0;
      }
      break;
    default:
      if (running == nullptr) break;
      if (loop.interrupt(*running, std::make_exception_ptr(interruption{++numbers}), this)) {
        expect(victim.interrupt == 0, "a second interrupt was accepted");
        victim.interrupt = numbers;
      }
  }
}

void never_lost::drive() {
  ++drives;
  for (auto actions = pick(12); actions > 0; --actions) {
    switch (pick(4)) {
      case 0:
        time.advance(some_time(4));
        break;
      case 1:
        disturb(ledgers[pick(greenlets)]);
        break;
      default:
        wake_some();
    }
  }
  if (pick(4) == 0)
    loop.poll();  // a single pass: what timers have woken runs in the next one
  else
    loop.run_ready();
  if (loop.ready_count() > 0) return;
  settled = std::max(settled, loop.pass_time());
  for (ledger& slot : ledgers) {
    if (!ending && slot.task->ready()) respawn(slot);
  }
}

void never_lost::end_all() {
  ending = true;
  while (loop.live_tasks() > 0) {
    time.advance(1s);
    for (int i = 0; i < 20; ++i)
      wake_some();
    loop.run_ready();
  }
}

TEST_F(never_lost, a_timeout_or_kill_of_a_million_waits) {
  for (std::unique_ptr<event>& flag : flags)
    flag = std::make_unique<event>(loop);
  for (ledger& slot : ledgers)
    respawn(slot);
  while (waits < waits_wanted && faults == 0)
    drive();
  end_all();
  EXPECT_EQ(faults, 0U);
  EXPECT_EQ(released - acquired, permits.permits());
  std::uint64_t left = 0;
  for (; items.try_pop(); ++left) {
  }
  EXPECT_EQ(static_cast<std::uint64_t>(std::count(popped.begin(), popped.end(), false)), left);
  while (const std::optional<std::uint64_t> taken = places.try_pop())
    offered[*taken] = offered[*taken] == 'p' ? 't' : '?';
  EXPECT_EQ(offered.size(), static_cast<std::size_t>(std::count(offered.begin(), offered.end(), 't') +
                                                     std::count(offered.begin(), offered.end(), 'r')));
  for (std::uint64_t count : ends)
    EXPECT_GT(count, waits / 1000) << "each way in which a wait can end is met often";
}

}  // namespace
}  // namespace grove
