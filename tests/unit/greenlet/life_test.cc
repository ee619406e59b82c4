// SPDX-License-Identifier: Apache-2.0

// Greenlets that outlive something, or are outlived: threads, parents, the switch that they were dropped in. Each test
// leaves as many greenlets and stacks as it found.

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "worker/greenlet/greenlet.h"
#include "worker/greenlet/metering.h"

namespace grove {
namespace {

class greenlet_life : public testing::Test {
 protected:
  greenlet_life() {
    (void)greenlet::current();
    before_ = count_greenlets();
  }
  ~greenlet_life() override {
    const greenlet_counts after = count_greenlets();
    EXPECT_EQ(after.greenlets, before_.greenlets);
    EXPECT_EQ(after.stacks, before_.stacks);
    EXPECT_EQ(after.threads, before_.threads);
    EXPECT_EQ(after.pending_drops, 0U);
  }
  static void pause() { greenlet::main().resume(); }

 private:
  greenlet_counts before_;
};

TEST_F(greenlet_life, a_value_for_another_thread_is_not_lost) {
  greenlet_ptr child = greenlet::make([] {});
  std::thread([&] {
    switch_value kept(std::string("kept"));
    EXPECT_THROW(child->switch_for<int>(std::move(kept)), greenlet_error);
    EXPECT_EQ(kept.take<std::string>(), "kept");  // NOLINT(bugprone-use-after-move)
    auto owned = std::make_unique<int>(3);
    EXPECT_THROW(child->switch_for<int>(std::move(owned)), greenlet_error);
    EXPECT_EQ(*owned, 3);  // NOLINT(bugprone-use-after-move)
  }).join();
  EXPECT_FALSE(child->started());
}

TEST_F(greenlet_life, a_value_is_not_lost_when_there_is_no_stack) {
  const std::size_t count_max = thread_stacks().count_max();
  thread_stacks().set_count_max(thread_stacks().in_use());
  greenlet_ptr child = greenlet::make([](const std::string& text) { return text.size(); });
  switch_value kept(std::string("kept"));
  EXPECT_THROW(child->switch_for<std::size_t>(std::move(kept)), stacks_exhausted);
  thread_stacks().set_count_max(count_max);
  EXPECT_EQ(child->switch_for<std::size_t>(std::move(kept)), 4U);  // NOLINT(bugprone-use-after-move)
}

TEST_F(greenlet_life, drops_by_other_threads_are_counted_until_they_are_taken) {
  std::vector<greenlet_ptr> all;
  std::string ended;
  all.push_back(greenlet::make([] {}));
  all.push_back(greenlet::make([&] {
    try {
      pause();
    } catch (const greenlet_exit&) {
      ended += "unwound";
      throw;
    }
  }));
  all.push_back(greenlet::make([] {}));
  all[1]->resume();
  all[2]->resume();
  std::thread([&all] { all.clear(); }).join();
  EXPECT_EQ(count_greenlets().pending_drops, 3U);
  (void)greenlet::current();
  EXPECT_EQ(count_greenlets().pending_drops, 0U);
  EXPECT_EQ(ended, "unwound");
}

TEST_F(greenlet_life, many_threads_leave_nothing_behind) {
  for (int round = 0; round < 4; ++round) {
    std::vector<std::thread> threads;
    threads.reserve(25);
    for (int i = 0; i < 25; ++i) {
      threads.emplace_back([] {
        std::vector<greenlet_ptr> all;
        for (int n = 0; n < 4; ++n) {
          all.push_back(greenlet::make(&greenlet_life::pause));
          all.back()->resume();
        }
        greenlet_ptr unstarted = greenlet::make([] {});
      });
    }
    for (std::thread& one : threads)
      one.join();
  }
}

TEST_F(greenlet_life, a_chain_of_parents_of_an_exited_thread_is_released) {
  greenlet_ptr last;
  std::thread([&] {
    last = greenlet::make([] {});
    for (int i = 0; i < 100'000; ++i)
      last = greenlet::make([] {}, {.parent = last.get()});
  }).join();
  last.reset();
}

TEST_F(greenlet_life, a_dead_target_starts_its_unstarted_parent) {
  greenlet_ptr parent = greenlet::make([](int passed) { return passed * 2; });
  greenlet_ptr child = greenlet::make([] {});
  child->resume();
  child->set_parent(*parent);
  EXPECT_EQ(child->switch_for<int>(21), 42);
  EXPECT_TRUE(parent->dead());
}

TEST_F(greenlet_life, an_unstarted_parent_that_a_result_does_not_fit_passes_the_error_on) {
  greenlet_ptr parent = greenlet::make([](const std::string&) {});
  greenlet_ptr child = greenlet::make([] { return 1; }, {.parent = parent.get()});
  EXPECT_THROW(child->resume(), switch_type_error);
  EXPECT_TRUE(parent->dead());
}

TEST_F(greenlet_life, a_change_of_parent_while_it_runs_counts_at_the_end) {
  greenlet_ptr other;
  std::string order;
  greenlet_ptr child = greenlet::make([&] {
    greenlet::current().set_parent(*other);
    return 5;
  });
  other = greenlet::make([&](int passed) {
    order += "other";
    return passed + 1;
  });
  EXPECT_EQ(child->switch_for<int>(), 6);
  EXPECT_EQ(order, "other");
}

TEST_F(greenlet_life, a_destructor_may_switch_while_a_drop_unwinds_it) {
  std::string order;
  greenlet_ptr helper = greenlet::make([&] {
    for (;;) {
      order += "helped ";
      greenlet::current().parent()->resume();
    }
  });
  greenlet_ptr child = greenlet::make([&] {
    struct at_end {
      greenlet& to;
      ~at_end() {
        to.set_parent(greenlet::current());
        to.resume();
      }
    } const guard{*helper};
    pause();
  });
  child->resume();
  child.reset();
  order += "dropped";
  EXPECT_EQ(order, "helped dropped");
  helper->set_parent(greenlet::main());
}

TEST_F(greenlet_life, a_thrown_exception_reaches_the_parent_when_a_body_cannot_start) {
  // The arguments do not fit, in a chain of three.
  greenlet_ptr outer = greenlet::make([] {
    greenlet_ptr inner = greenlet::make([](int, int) {});
    try {
      inner->switch_for(std::string("one"));
    } catch (const switch_type_error& error) {
      return error.value().take<std::string>();
    }
    return std::string();
  });
  EXPECT_EQ(outer->switch_for<std::string>(), "one");
}

TEST_F(greenlet_life, a_greenlet_may_start_others_from_the_destruction_of_its_callable) {
  std::string order;
  struct starter {
    std::string* order;
    explicit starter(std::string& to) : order(&to) {}
    starter(starter&& other) noexcept : order(std::exchange(other.order, nullptr)) {}
    starter& operator=(starter&&) = delete;
    ~starter() {
      if (order != nullptr) greenlet::make([this] { *order += "nested "; })->resume();
    }
  };
  greenlet_ptr child = greenlet::make([held = starter(order), &order] { order += "ran "; });
  child->resume();
  EXPECT_EQ(order, "ran nested ");
}

TEST(greenlet_thread_exit, releases_stacks_and_runs_nothing_on_them) {
  std::atomic<int> ran = 0;
  std::promise<greenlet_ptr> left;
  (void)greenlet::current();  // so that this thread counts
  std::thread([&] {
    greenlet_ptr nested = greenlet::make([&] {
      struct at_end {
        std::atomic<int>& count;
        ~at_end() { ++count; }
      } const guard{ran};
      greenlet_ptr inner = greenlet::make([] { greenlet::main().resume(); });
      inner->resume();
      greenlet::main().resume();
    });
    nested->resume();
    left.set_value(std::move(nested));
  }).join();
  greenlet_ptr kept = left.get_future().get();
  EXPECT_GT(count_greenlets().threads, 1U);
  EXPECT_TRUE(kept->dead());
  EXPECT_THROW(kept->throw_in(std::make_exception_ptr(1)), greenlet_error);
  kept.reset();
  EXPECT_EQ(ran, 0) << "nothing runs on a stack without its thread";
  // What its frames held is not destroyed, `inner` among it: this is what unwinding before the end of a thread is for.
  EXPECT_GT(count_greenlets().threads, 1U);
}

}  // namespace
}  // namespace grove
