// SPDX-License-Identifier: Apache-2.0
#include "worker/tasks/iwait.h"

#include <optional>
#include <vector>

#include "tests/support/hub_fixture.h"
#include "worker/tasks/async_result.h"
#include "worker/tasks/event.h"
#include "worker/tasks/queue.h"
#include "worker/tasks/semaphore.h"
#include "worker/tasks/task.h"

namespace grove {
namespace {

using namespace std::chrono_literals;
using iwaits = hub_fixture;
using indexes = std::vector<std::size_t>;

TEST_F(iwaits, give_objects_of_all_kinds_as_they_become_ready) {
  event flag(loop);
  semaphore permits(loop, 0);
  async_result<int> result(loop);
  queue<int> items(loop);
  rlock lock(loop);
  lock.acquire();
  auto task = spawn([] { sleep_for(1s); });
  auto waiting = spawn([&] {
    indexes order;
    for (std::size_t at : iwait({task, flag, permits, result, items, lock}))
      order.push_back(at);
    return order;
  });
  loop.run_ready();
  items.push(1);
  lock.release();
  result.set(1);
  permits.release();
  flag.set();
  flag.clear();  // counts all the same
  loop.run_ready();
  EXPECT_FALSE(waiting->ready());
  advance(1s);
  EXPECT_EQ(waiting->get(), (indexes{4, 5, 3, 2, 1, 0}));
  EXPECT_EQ(permits.permits(), 1U) << "not acquired";
}

TEST_F(iwaits, give_what_is_ready_at_once_also_in_the_hub) {
  event set(loop);
  event unset(loop);
  set.set();
  EXPECT_EQ(wait_any({unset, set}), 1U);
  EXPECT_EQ(wait_any({unset}, loop.now()), std::nullopt);
  EXPECT_EQ(wait_any({}), std::nullopt);
  EXPECT_THROW((void)wait_all({unset, set}), blocking_in_hub);
}

TEST_F(iwaits, end_at_their_time_or_count) {
  std::vector<spawned<void>> tasks;
  for (auto delay : {3s, 1s, 2s})
    tasks.push_back(spawn([delay] { sleep_for(delay); }));
  auto timed = spawn([&] { return wait_all(waitables(tasks), time_after(loop.now(), 2500ms)); });
  auto counted = spawn([&] { return wait_all(waitables(tasks), std::nullopt, 1); });
  auto first = spawn([&] { return wait_any(waitables(tasks)); });
  auto all = spawn([&] { return wait_all(waitables(tasks)); });
  loop.run_ready();
  for (int i = 0; i < 6; ++i)
    advance(500ms);
  EXPECT_EQ(timed->get(), (indexes{1, 2}));
  EXPECT_EQ(counted->get(), indexes{1});
  EXPECT_EQ(first->get(), 1U);
  EXPECT_EQ(all->get(), (indexes{1, 2, 0}));
}

TEST_F(iwaits, leave_nothing_behind_when_dropped_early) {
  event flag(loop);
  semaphore permits(loop, 0);
  auto partial = spawn([&] {
    for (std::size_t at : iwait({permits, flag}))
      return at;
    return std::size_t{99};
  });
  auto killed = spawn([&] { (void)wait_all({permits, flag}); });
  loop.run_ready();
  killed->kill(kill_mode::do_not_wait);
  flag.set();
  loop.run_ready();
  EXPECT_EQ(partial->get(), 1U);
  EXPECT_TRUE(killed->exited());
  permits.release();  // would reach freed links
  EXPECT_EQ(permits.permits(), 1U);
}

TEST_F(iwaits, lose_nothing_when_one_wait_is_ended) {
  event flag(loop);
  auto task = spawn([&] {
    iwait each({flag});
    EXPECT_THROW((void)each.next(), int);
    flag.set();
    return each.next();
  });
  loop.run_ready();
  loop.interrupt(*task->running_greenlet(), std::make_exception_ptr(1));
  loop.run_ready();
  EXPECT_EQ(task->get(), 0U);
}

}  // namespace
}  // namespace grove
