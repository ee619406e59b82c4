// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

#include "worker/greenlet/greenlet.h"

namespace grove {
namespace {

struct set_at_end {
  std::atomic<bool>& flag;
  ~set_at_end() { flag = true; }
};

TEST(greenlet_thread, each_has_a_main_greenlet_of_its_own) {
  greenlet* mine = &greenlet::main();
  greenlet* other = nullptr;
  std::thread([&] {
    other = &greenlet::main();
    EXPECT_EQ(other, &greenlet::current());
    EXPECT_EQ(other->parent(), nullptr);
  }).join();
  EXPECT_NE(mine, other);
}

TEST(greenlet_thread, refuses_use_from_another_thread) {
  greenlet_ptr child = greenlet::make([] { greenlet::main().resume(); });
  child->resume();
  std::thread([&] {
    EXPECT_THROW(child->resume(), greenlet_error);
    EXPECT_THROW(child->switch_to(1), greenlet_error);
    EXPECT_THROW(child->throw_in(), greenlet_error);
    EXPECT_THROW((void)greenlet::make([] {}, {.parent = child.get()}), greenlet_error);
    greenlet_ptr own = greenlet::make([] {});
    EXPECT_THROW(own->set_parent(*child), greenlet_error);
  }).join();
  EXPECT_TRUE(child->active());
}

TEST(greenlet_thread, a_drop_elsewhere_unwinds_at_the_owners_next_call) {
  std::atomic<bool> destroyed = false;
  greenlet_ptr child = greenlet::make([&] {
    const set_at_end guard{destroyed};
    greenlet::main().resume();
  });
  child->resume();
  std::thread([moved = std::move(child)]() mutable { moved.reset(); }).join();
  EXPECT_FALSE(destroyed);
  (void)greenlet::current();
  EXPECT_TRUE(destroyed);
}

TEST(greenlet_thread, greenlets_of_an_exited_thread_are_dead) {
  greenlet_ptr left;
  std::thread([&] {
    left = greenlet::make([] { greenlet::main().resume(); });
    left->resume();
    EXPECT_TRUE(left->active());
  }).join();
  EXPECT_TRUE(left->dead());
  EXPECT_FALSE(*left);
  try {
    left->resume();
    FAIL() << "it must throw";
  } catch (const greenlet_error& error) {
    EXPECT_NE(std::string(error.what()).find("exited"), std::string::npos);
  }
}

TEST(greenlet_thread, a_drop_after_the_owner_has_exited_runs_nothing) {
  std::atomic<bool> destroyed = false;
  greenlet_ptr left;
  std::thread([&] {
    left = greenlet::make([&] {
      const set_at_end guard{destroyed};
      greenlet::main().resume();
    });
    left->resume();
  }).join();
  left.reset();
  EXPECT_FALSE(destroyed);
}

TEST(greenlet_thread, a_drop_elsewhere_of_a_running_one_does_not_outrun_its_end) {
  greenlet_ptr child;
  child = greenlet::make([&] {
    std::thread([moved = std::move(child)]() mutable { moved.reset(); }).join();
    return 3;
  });
  EXPECT_EQ(child->switch_to().take<int>(), 3);
  (void)greenlet::current();
}

TEST(greenlet_thread, a_drop_elsewhere_of_a_running_one_lets_it_run_on_until_it_switches_away) {
  std::atomic<bool> destroyed = false;
  greenlet_ptr child;
  child = greenlet::make([&] {
    const set_at_end guard{destroyed};
    std::thread([moved = std::move(child)]() mutable { moved.reset(); }).join();
    (void)greenlet::current();
    EXPECT_FALSE(destroyed);
    greenlet::main().resume();
  });
  child->resume();
  EXPECT_TRUE(destroyed);
}

TEST(greenlet_thread, exit_takes_what_other_threads_dropped) {
  std::atomic<bool> destroyed = false;
  std::thread([&] {
    greenlet_ptr child = greenlet::make([&] {
      const set_at_end guard{destroyed};
      greenlet::main().resume();
    });
    child->resume();
    std::thread([moved = std::move(child)]() mutable { moved.reset(); }).join();
  }).join();
  EXPECT_TRUE(destroyed);
}

}  // namespace
}  // namespace grove
