// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>

#include "worker/greenlet/greenlet.h"
#include "worker/greenlet/sanitizer.h"
#include "worker/greenlet/typed_greenlet.h"

namespace grove {
namespace {

/// Too large for a switch_value: passing it without types takes it to the heap.
struct large {
  static inline int allocations = 0;
  static void* operator new(std::size_t bytes) {
    ++allocations;
    return ::operator new(bytes);
  }
  static void operator delete(void* room) { ::operator delete(room); }
  std::array<int, 100> words{};
};

/// Counts its living copies, and the switches that it survives.
struct counted {
  explicit counted(int& live_count) : live(&live_count) { ++*live; }
  counted(counted&& other) noexcept : live(other.live) { ++*live; }
  counted& operator=(counted&&) = delete;
  ~counted() { --*live; }
  int* live;
};

TEST(typed_switch, passes_objects_both_ways) {
  greenlet& me = greenlet::current();
  greenlet_ptr child = greenlet::make([&](int number, const std::string& text) {
    EXPECT_EQ(text, "first");
    const auto owned = me.switch_for<std::unique_ptr<int>>(number + 1);
    return std::to_string(*owned);
  });
  EXPECT_EQ(child->switch_for<int>(1, std::string("first")), 2);
  EXPECT_EQ(child->switch_for<std::string>(std::make_unique<int>(7)), "7");
  EXPECT_TRUE(child->dead());
}

TEST(typed_switch, allocates_nothing_from_start_to_end) {
#ifdef GROVE_ASAN
  GTEST_SKIP() << "results leave the stack early under AddressSanitizer";
#endif
  greenlet& me = greenlet::current();
  greenlet_ptr child = greenlet::make([&me](large got) {
    for (int i = 0; i < 3; ++i) {
      ++got.words[99];
      got = me.switch_for<large>(got);
    }
    return got;
  });
  large passed;
  large::allocations = 0;
  for (int i = 0; i < 4; ++i)
    passed = child->switch_for<large>(passed);
  EXPECT_EQ(large::allocations, 0);
  EXPECT_EQ(passed.words[99], 3);
  EXPECT_TRUE(child->dead());
}

TEST(typed_switch, copies_lvalues_and_moves_from_rvalues) {
  greenlet_ptr child = greenlet::make([](const std::string& text) { return text + "!"; });
  const std::string kept = "a text that is too long to be held in the string itself";
  EXPECT_EQ(child->switch_for<std::string>(kept), kept + "!");
  child = greenlet::make([](const std::string& text) { return text.size(); });
  std::string given = kept;
  EXPECT_EQ(child->switch_for<std::size_t>(std::move(given)), kept.size());
  EXPECT_TRUE(given.empty());  // NOLINT(bugprone-use-after-move)
}

TEST(typed_switch, mixes_with_untyped_switches) {
  greenlet& me = greenlet::current();
  greenlet_ptr child = greenlet::make([&](switch_value first) {
    EXPECT_EQ(first.take<large>().words[0], 4);
    EXPECT_EQ(me.switch_for<int>(large{{5}}), 6);
    return large{{7}};
  });
  EXPECT_EQ(child->switch_for<switch_value>(large{{4}}).take<large>().words[0], 5);
  EXPECT_EQ(child->switch_to(6).take<large>().words[0], 7);
}

TEST(typed_switch, of_the_wrong_type_names_both_and_loses_nothing) {
  greenlet& me = greenlet::current();
  greenlet_ptr child = greenlet::make([&](int) {
    me.switch_for(std::make_unique<int>(3));
    return 5L;
  });
  try {
    (void)child->switch_for<std::string>(1);
    FAIL() << "it must throw";
  } catch (const switch_type_error& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("unique_ptr<int"), std::string::npos) << text;
    EXPECT_NE(text.find("basic_string"), std::string::npos) << text;
    EXPECT_EQ(*error.value().take<std::unique_ptr<int>>(), 3);
  }
  try {
    (void)child->switch_for<int>();
    FAIL() << "it must throw";
  } catch (const switch_type_error& error) {
    EXPECT_EQ(error.value().take<long>(), 5);
  }
}

TEST(typed_switch, of_nothing_where_something_is_expected_is_an_error) {
  greenlet& me = greenlet::current();
  greenlet_ptr child = greenlet::make([&](int) { me.resume(); });
  try {
    child->resume();
    FAIL() << "the arguments do not fit: the error comes to the parent";
  } catch (const switch_type_error& error) {
    EXPECT_STREQ(error.what(), "the switch passed nothing where int is expected");
  }
  EXPECT_TRUE(child->dead());
  child = greenlet::make([&] { me.resume(); });
  EXPECT_THROW((void)child->switch_for<int>(), switch_type_error);
  EXPECT_TRUE(child->active());
}

TEST(typed_switch, to_the_current_greenlet_gives_the_object_back) {
  EXPECT_EQ(*greenlet::current().switch_for<std::unique_ptr<int>>(std::make_unique<int>(3)), 3);
  EXPECT_THROW((void)greenlet::current().switch_for<int>(), switch_type_error);
  greenlet::current().switch_for();
}

TEST(typed_switch, to_a_dead_greenlet_falls_to_the_nearest_live_ancestor) {
  greenlet_ptr dead = greenlet::make([] {});
  dead->resume();
  EXPECT_EQ(dead->switch_for<large>(large{{8}}).words[0], 8);
  greenlet_ptr other = greenlet::make([&] { dead->switch_for(large{{9}}); });
  EXPECT_EQ(other->switch_for<large>().words[0], 9);
}

TEST(typed_switch, throws_what_is_thrown_in) {
  greenlet& me = greenlet::current();
  greenlet_ptr child = greenlet::make([&] {
    try {
      return me.switch_for<int>(large{});
    } catch (const std::runtime_error&) {
      return 3;
    }
  });
  (void)child->switch_for<large>();
  EXPECT_EQ(child->throw_in(std::make_exception_ptr(std::runtime_error("thrown"))).take<int>(), 3);
}

TEST(typed_switch, destroys_every_object_once_whoever_gets_it) {
  int live = 0;
  greenlet& me = greenlet::current();
  const auto body = [&] {
    me.switch_for(counted(live));
    me.switch_for(counted(live));
    me.switch_for(counted(live));
    return counted(live);
  };
  greenlet_ptr child = greenlet::make(body);
  child->switch_for<counted>();
  child->resume();                                // discards one
  EXPECT_TRUE(child->switch_to().is<counted>());  // brings one home
  child->resume();                                // discards the result
  EXPECT_TRUE(child->dead());
  EXPECT_EQ(live, 0);
  greenlet_ptr second = greenlet::make(body);
  (void)second->switch_for<counted>();
  second.reset();
  EXPECT_EQ(live, 0);
}

TEST(typed_switch, outlives_a_sender_that_goes_at_once) {
  // The sender has dropped its own last handle: it is unwound as soon as the receiver runs.
  greenlet_ptr child;
  child = greenlet::make([&] {
    child.reset();
    std::string lent = "a text that is too long to be held in the string itself";
    greenlet::main().switch_for(std::move(lent));
  });
  EXPECT_EQ(child->switch_for<std::string>().size(), 55U);
  child = greenlet::make([&] {
    child.reset();
    greenlet::main().switch_for(large{{6}});
  });
  EXPECT_EQ(child->switch_to().take<large>().words[0], 6);
}

TEST(typed_switch, is_not_disturbed_by_a_destructor_that_switches_on_the_way) {
  greenlet& me = greenlet::current();
  int runs = 0;
  greenlet_ptr other = greenlet::make([&] {
    for (;;) {
      ++runs;
      me.switch_for(std::string("for another switch"));
    }
  });
  struct switcher {
    greenlet_ptr held;
    explicit switcher(greenlet_ptr to) : held(std::move(to)) {}
    switcher(switcher&&) = default;
    switcher& operator=(switcher&&) = default;
    ~switcher() {
      if (held) held->set_parent(greenlet::current());
      if (held) held->resume();
    }
  };
  // The callable goes, and switches, while the result is under way.
  greenlet_ptr child = greenlet::make([held = switcher(other)] { return large{{11}}; });
  other->set_parent(*child);
  EXPECT_EQ(child->switch_for<std::string>(), "for another switch");
  EXPECT_EQ(child->switch_for<large>().words[0], 11);
  EXPECT_EQ(runs, 1);
}

TEST(typed_greenlet, has_its_types_written_down) {
  typed_greenlet<std::string(int, int)> adder = typed_greenlet<std::string(int, int)>::make([](int a, int b) {
    const typed_greenlet<std::tuple<int, int>(std::string)> back(*greenlet::current().parent());
    for (;;)
      std::tie(a, b) = back(std::to_string(a + b));
    return std::string();
  });
  EXPECT_EQ(adder(1, 2), "3");
  EXPECT_EQ(adder(30, 4), "34");
  EXPECT_TRUE(adder->active());
  EXPECT_TRUE(adder.handle());
  EXPECT_FALSE((typed_greenlet<void()>()));
}

}  // namespace
}  // namespace grove
