// SPDX-License-Identifier: Apache-2.0
// Greenlets that share stack regions.
#include <gtest/gtest.h>
#include <malloc.h>

#include <array>
#include <cstdint>
#include <numeric>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/seed.h"
#include "worker/greenlet/greenlet.h"

namespace grove {
namespace {

template <typename F>
greenlet_ptr make_sliced(F&& run) {
  return greenlet::make(std::forward<F>(run), {.stack = stack_class::sliced});
}

/// A frame with `bytes` of content that depends on `seed`; switches to main in its depth; false if it was changed.
bool keeps_frames(int seed, int depth) {
  std::array<std::uint8_t, 100> mine{};
  std::iota(mine.begin(), mine.end(), static_cast<std::uint8_t>(seed + depth));
  const bool kept_below = depth == 0 ? (greenlet::main().resume(), true) : keeps_frames(seed, depth - 1);
  std::array<std::uint8_t, 100> expected{};
  std::iota(expected.begin(), expected.end(), static_cast<std::uint8_t>(seed + depth));
  return kept_below && mine == expected;
}

TEST(sliced_greenlet, keeps_its_frames_while_a_hundred_others_use_the_stack) {
  std::vector<greenlet_ptr> all;
  int intact = 0;
  for (int i = 0; i < 100; ++i)
    all.push_back(make_sliced([i, &intact] {
      for (int round = 0; round < 5; ++round)
        intact += static_cast<int>(keeps_frames(i, (i * 7 + round) % 20));
    }));
  for (int round = 0; round < 6; ++round) {
    for (const greenlet_ptr& one : all)
      one->resume();
  }
  EXPECT_EQ(intact, 500);
  for (const greenlet_ptr& one : all)
    EXPECT_TRUE(one->dead());
}

TEST(sliced_greenlet, passes_values_and_exceptions_as_any_other) {
  greenlet_ptr echo = make_sliced([](switch_value passed) {
    for (;;) {
      try {
        passed = greenlet::main().switch_to(std::move(passed));
      } catch (const std::runtime_error& error) {
        passed = std::string(error.what());
      }
    }
  });
  greenlet_ptr other = make_sliced([] {
    for (;;)
      greenlet::main().resume();
  });
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(echo->switch_to(i).take<int>(), i);
    other->resume();
    EXPECT_EQ(echo->throw_in(std::make_exception_ptr(std::runtime_error("thrown"))).take<std::string>(), "thrown");
  }
}

TEST(sliced_greenlet, switches_to_another_on_the_same_region_by_way_of_the_mover) {
  // More greenlets than regions, so that neighbours in the ring share one.
  constexpr int count = 24;
  std::vector<greenlet_ptr> ring;
  std::vector<int> order;
  for (int i = 0; i < count; ++i)
    ring.push_back(make_sliced([&, i] {
      for (int round = 0; round < 3; ++round) {
        order.push_back(i);
        ring[static_cast<std::size_t>((i + 8) % count)]->resume();
      }
    }));
  ring[0]->resume();
  for (const int i : {0, 8, 16})
    EXPECT_EQ(std::count(order.begin(), order.end(), i), 3) << i;
  ring.clear();
}

TEST(sliced_greenlet, ends_in_its_parent_whose_bytes_are_away) {
  std::string seen;
  greenlet_ptr parent;
  std::vector<greenlet_ptr> children;
  parent = make_sliced([&] {
    std::array<char, 64> mine{"kept"};
    for (int i = 0; i < 16; ++i) {
      children.push_back(make_sliced([i] { return i; }));
      seen += std::to_string(children.back()->switch_to().take<int>()) + " ";
    }
    seen += mine.data();
  });
  parent->resume();
  EXPECT_EQ(seen, "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 kept");
}

TEST(sliced_greenlet, runs_its_destructors_when_its_last_handle_is_dropped) {
  struct counted {
    int& alive;
    explicit counted(int& in) : alive(++in) {}
    ~counted() { --alive; }
  };
  int alive = 0;
  std::vector<greenlet_ptr> all;
  for (int i = 0; i < 50; ++i)
    all.push_back(make_sliced([&alive] {
      const counted here(alive);
      greenlet::main().resume();
    }));
  for (const greenlet_ptr& one : all)
    one->resume();
  EXPECT_EQ(alive, 50);
  all.clear();
  EXPECT_EQ(alive, 0);
}

TEST(sliced_greenlet, catches_its_own_exception_after_others_have_caught_theirs) {
  std::vector<greenlet_ptr> all;
  std::vector<int> caught;
  for (int i = 0; i < 20; ++i)
    all.push_back(make_sliced([i, &caught] {
      try {
        throw i;
      } catch (int mine) {
        greenlet::main().resume();
        try {
          throw;
        } catch (int again) {
          caught.push_back(mine == again ? again : -1);
        }
      }
    }));
  for (int round = 0; round < 2; ++round) {
    for (const greenlet_ptr& one : all)
      one->resume();
  }
  std::vector<int> expected(20);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(caught, expected);
}

TEST(sliced_greenlet, needs_no_stack_of_its_own) {
  const std::size_t before = thread_stacks().in_use();
  std::vector<greenlet_ptr> all;
  for (int i = 0; i < 1000; ++i) {
    all.push_back(make_sliced([] { greenlet::main().resume(); }));
    all.back()->resume();
  }
  EXPECT_LE(thread_stacks().in_use(), before + 9);
}

TEST(sliced_greenlet, that_lives_on_when_its_thread_ends_is_released_without_running) {
  greenlet_ptr left;
  bool unwound = false;
  std::thread([&] {
    struct flag {
      bool& of;
      ~flag() { of = true; }
    };
    left = make_sliced([&unwound] {
      const flag here{unwound};
      greenlet::main().resume();
    });
    left->resume();
    make_sliced([] {})->resume();
  }).join();
  EXPECT_TRUE(left->dead());
  left.reset();
  EXPECT_FALSE(unwound);
}

TEST(sliced_greenlet, switches_at_random_among_dedicated_ones_and_loses_nothing) {
  std::mt19937 random(test::seed());
  constexpr int count = 40;
  std::vector<greenlet_ptr> all(count);
  int token = 0;
  int switches = 0;
  int last_sent = 0;
  for (int i = 0; i < count; ++i) {
    auto body = [&, i](switch_value passed) {
      for (;;) {
        std::array<int, 40> mine{};
        mine.fill(i);
        if (passed.take<int>() != last_sent) ADD_FAILURE() << "a value was lost";
        if (++switches > 20'000) return;
        last_sent = ++token;
        passed = all[random() % count]->switch_to(token);
        for (const int at : mine)
          if (at != i) return ADD_FAILURE() << "a frame was changed";
      }
    };
    all[static_cast<std::size_t>(i)] =
        greenlet::make(body, {.stack = i % 4 == 0 ? stack_class::small : stack_class::sliced});
  }
  all[0]->switch_to(0);
  EXPECT_GT(switches, 20'000);
  all.clear();
}

using sliced_greenlet_death = testing::Test;

TEST(sliced_greenlet_death, that_is_suspended_and_whose_stack_is_touched_ends_the_program_in_checked_builds) {
  const auto touch = [] {
    set_sliced_stack_checks(true);
    volatile int* inside = nullptr;
    greenlet_ptr suspended = make_sliced([&inside] {
      volatile int local = 1;
      inside = &local;
      greenlet::main().resume();
    });
    suspended->resume();
    *inside = 2;
  };
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(std::thread(touch).join(), "");
}

}  // namespace
}  // namespace grove
