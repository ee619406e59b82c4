// SPDX-License-Identifier: Apache-2.0
#include "worker/greenlet/internal/greenlet_places.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <set>
#include <thread>
#include <vector>

#include "base/cache_line.h"
#include "worker/greenlet/greenlet.h"

namespace grove::test {
namespace {

using greenlets::detail::greenlet_places;

TEST(greenlet_places, begin_at_cache_lines_and_do_not_overlap) {
  greenlet_places places;
  std::set<std::byte*> taken;
  for (int i = 0; i < 20'000; ++i) {
    auto* const place = static_cast<std::byte*>(places.take());
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(place) % cache_line_bytes, 0U);
    std::memset(place, i, sizeof(greenlet));
    taken.insert(place);
  }
  const std::byte* before = nullptr;
  for (std::byte* const place : taken) {
    if (before != nullptr) {
      EXPECT_GE(place - before, static_cast<std::ptrdiff_t>(sizeof(greenlet)));
    }
    before = place;
  }
  for (std::byte* const place : taken)
    places.give_back(place);
}

#ifndef GROVE_ASAN

TEST(greenlet_places, are_used_again_last_in_first_out) {
  greenlet_places places;
  void* const first = places.take();
  void* const second = places.take();
  places.give_back(first);
  places.give_back(second);
  void* const third = places.take();
  EXPECT_EQ(third, second);
  places.give_back(third);
}

TEST(greenlet_places, that_many_have_used_in_any_order_are_all_used_again_before_memory_is_asked_for) {
  constexpr std::size_t many = 20'000;
  greenlet_places places;
  std::vector<void*> taken;
  for (std::size_t i = 0; i < many; ++i)
    taken.push_back(places.take());
  const std::set<void*> known(taken.begin(), taken.end());
  for (std::size_t i = 0; i < many; i += 3)
    places.give_back(taken[i]);
  for (std::size_t i = 0; i < many; i += 3) {
    taken[i] = places.take();
    EXPECT_TRUE(known.contains(taken[i]));
  }
  for (void* const place : taken)
    places.give_back(place);
}

#endif

TEST(greenlet_places, outlive_their_thread_with_its_greenlets) {
  std::vector<greenlet_ptr> kept;
  std::thread([&kept] {
    for (int i = 0; i < 1000; ++i)
      kept.push_back(greenlet::make([] {}, {.name = "kept"}));
  }).join();
  for (const greenlet_ptr& left : kept)
    EXPECT_TRUE(left->dead() && left->name() == "kept");
  kept.clear();
}

}  // namespace
}  // namespace grove::test
