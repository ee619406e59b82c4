// SPDX-License-Identifier: Apache-2.0
#include "worker/tasks/imap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/hub_fixture.h"
#include "worker/tasks/event.h"
#include "worker/tasks/pool.h"

namespace grove {
namespace {

using namespace std::chrono_literals;

/// In a group of any size, and in pools.
class imaps : public hub_fixture, public testing::WithParamInterface<std::size_t> {
 protected:
  imaps() {
    if (GetParam() == 0)
      in = std::make_unique<group>();
    else
      in = std::make_unique<pool>(GetParam());
  }

  /// Runs `body` in a greenlet to its end, however long that takes.
  template <typename F>
  auto run(F body) {
    auto task = spawn(std::move(body));
    loop.run_ready();
    for (int i = 0; i < 1000 && !task->ready(); ++i)
      advance(1ms);
    return task->get();
  }

  std::unique_ptr<group> in;
};

INSTANTIATE_TEST_SUITE_P(in_groups_and_pools, imaps, testing::Values(0, 1, 2, 10));

/// The first items take longest.
int slow_square(int i) {
  sleep_for(std::chrono::milliseconds(20 - i));
  return i * i;
}

struct failing_input {
  struct iterator {
    int at = 0;
    int operator*() const {
      if (at == 2) throw std::runtime_error("input");
      return at;
    }
    iterator& operator++() {
      ++at;
      return *this;
    }
    bool operator!=(const iterator& other) const { return at != other.at; }
  };
  [[nodiscard]] iterator begin() const { return {0}; }
  [[nodiscard]] iterator end() const { return {100}; }
};

TEST_P(imaps, give_results_in_the_order_of_the_items) {
  const std::vector<int> items = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  EXPECT_EQ(run([&] {
              std::vector<int> got;
              for (const int square : in->imap(slow_square, items, 3))
                got.push_back(square);
              EXPECT_EQ(got, in->map(slow_square, items));
              return got;
            }),
            (std::vector{1, 4, 9, 16, 25, 36, 49, 64, 81, 100}));
  EXPECT_TRUE(in->empty());
}

TEST_P(imaps, unordered_give_them_as_they_are_ready) {
  auto got = run([&] {
    std::vector<int> all;
    for (const int square : in->imap_unordered(slow_square, std::vector{1, 2, 3, 4}))
      all.push_back(square);
    return all;
  });
  if (GetParam() == 0 || GetParam() == 10) {
    EXPECT_EQ(got, (std::vector{16, 9, 4, 1}));
  }
  std::sort(got.begin(), got.end());
  EXPECT_EQ(got, (std::vector{1, 4, 9, 16}));
}

TEST_P(imaps, of_nothing_end_at_once_and_stay_at_the_end) {
  run([&] {
    const std::vector<int> none;
    EXPECT_TRUE(in->map(slow_square, none).empty());
    auto results = in->imap_unordered(slow_square, none);
    EXPECT_EQ(results.next(), std::nullopt);
    EXPECT_EQ(results.next(), std::nullopt);
  });
}

TEST_P(imaps, throw_an_error_at_its_place_and_go_on) {
  const auto picky = [](int i) {
    if (i == 1) throw std::runtime_error("one");
    return i;
  };
  run([&] {
    auto results = in->imap(picky, std::vector{0, 1, 2});
    EXPECT_EQ(results.next(), 0);
    EXPECT_THROW((void)results.next(), std::runtime_error);
    EXPECT_EQ(results.next(), 2);
    EXPECT_EQ(results.next(), std::nullopt);

    int good = 0;
    int bad = 0;
    auto again = in->imap_unordered(picky, std::vector{0, 1, 2});
    for (auto at = again.begin(); at != again.end(); ++at) {
      try {
        (void)*at;
        ++good;
      } catch (const std::runtime_error&) {
        ++bad;
      }
    }
    EXPECT_EQ(good, 2);
    EXPECT_EQ(bad, 1);
    EXPECT_THROW(in->map(picky, std::vector{0, 1, 2}), std::runtime_error);
    EXPECT_TRUE(in->empty());
  });
}

TEST_P(imaps, throw_what_the_input_throws_after_the_results) {
  run([&] {
    auto results = in->imap([](int i) { return i; }, failing_input());
    EXPECT_EQ(results.next(), 0);
    EXPECT_EQ(results.next(), 1);
    EXPECT_THROW((void)results.next(), std::runtime_error);
    EXPECT_EQ(results.next(), std::nullopt);
    EXPECT_THROW(in->map([](int) {}, failing_input()), std::runtime_error);
    EXPECT_EQ(in->apply([] { return 1; }), 1) << "it works on";
  });
}

TEST_P(imaps, bound_what_waits_for_the_reader) {
  int started = 0;
  run([&] {
    auto results = in->imap_unordered([&](int i) { return ++started, i; }, std::vector(20, 1), 2);
    sleep_for(1ms);
    EXPECT_EQ(started, 2);
    EXPECT_EQ(results.next(), 1);
    sleep_for(1ms);
    EXPECT_EQ(started, 3);
  });
  EXPECT_THROW((void)in->imap([](int i) { return i; }, std::vector{1}, 0), std::invalid_argument);
}

TEST_P(imaps, dropped_early_stop_and_leave_nothing) {
  int started = 0;
  int ended = 0;
  run([&] {
    struct counted {
      int& ends;
      ~counted() { ++ends; }
    };
    for (const int i : in->imap(
             [&](int item) {
               ++started;
               const counted guard{ended};
               sleep_for(item * 5ms);
               return item;
             },
             std::vector{0, 1, 2, 3, 4})) {
      EXPECT_EQ(i, 0);
      break;
    }
    EXPECT_EQ(started, ended) << "the drop waits for what it has killed";
    EXPECT_TRUE(in->empty());
  });
  EXPECT_EQ(loop.live_tasks(), 0U);
}

TEST_P(imaps, tell_of_items_that_are_killed) {
  run([&] {
    auto results = in->imap([](int) { sleep_for(1h); }, std::vector{1, 2});
    spawn([&] {
      while (!in->empty() || loop.live_tasks() > 2) {
        in->kill();
        yield();
      }
    });
    yield();
    yield();
    EXPECT_THROW((void)results.next(), task_killed);
    EXPECT_THROW((void)results.next(), task_killed);
    EXPECT_FALSE(results.next());
  });
}

TEST_P(imaps, move_items_out_of_a_container_that_is_moved_in) {
  run([&] {
    std::vector<std::unique_ptr<int>> owned;
    owned.push_back(std::make_unique<int>(7));
    auto results = in->imap([](std::unique_ptr<int> item) { return item; }, std::move(owned));
    EXPECT_EQ(**results.next(), 7);
    std::vector<std::string> borrowed = {"a long string that is on the heap"};
    EXPECT_EQ(in->map([](std::string item) { return item; }, borrowed), borrowed);
  });
}

TEST_P(imaps, may_outlive_their_group_but_get_no_further) {
  run([&] {
    auto results = in->imap([](int i) { return sleep_for(1ms), i; }, std::vector(30, 1), 25);
    sleep_for(0ms);
    in.reset();
    int got = 0;
    bool refused = false;
    for (auto at = results.begin(); at != results.end(); ++at) {
      try {
        got += *at;
      } catch (const task_killed&) {
      } catch (const greenlet_error&) {
        refused = true;
      }
    }
    EXPECT_EQ(got, 0);
    EXPECT_TRUE(refused);
  });
}

}  // namespace
}  // namespace grove
