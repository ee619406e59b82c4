// SPDX-License-Identifier: Apache-2.0
#include "worker/mesh/ring.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <thread>

#include "base/random.h"

namespace grove {
namespace {

constexpr std::uint64_t capacity = 4096;

class ring : public testing::Test {
 protected:
  [[nodiscard]] ring_control& control() const { return segment_.ring(0, 1); }
  [[nodiscard]] ring_mapping map() const { return {segment_.fd(), segment_.ring_offset(0, 1), segment_.ring_bytes()}; }
  [[nodiscard]] ring_writer make_writer() const { return {control(), map()}; }
  [[nodiscard]] ring_reader make_reader() const { return {control(), map()}; }

  static bool write(ring_writer& to, std::string_view body) {
    char* const place = to.reserve(body.size());
    if (place == nullptr) return false;
    std::memcpy(place, body.data(), body.size());
    return true;
  }

  /// The next record's body; "empty" or "corrupt" when there is none.
  static std::string read(ring_reader& from) {
    std::string_view body;
    switch (from.peek(body)) {
      case ring_state::empty:
        return "empty";
      case ring_state::corrupt:
        return "corrupt";
      case ring_state::record:
        break;
    }
    std::string copy{body};
    from.consume();
    from.release();
    return copy;
  }

  shared_segment segment_ = shared_segment::create({.workers = 2, .ring_bytes = capacity});
  ring_mapping raw_ = map();
};

TEST_F(ring, record_is_invisible_until_published) {
  auto out = make_writer();
  auto in = make_reader();
  ASSERT_TRUE(write(out, "one"));
  EXPECT_EQ(read(in), "empty");
  EXPECT_FALSE(in.has_more());
  EXPECT_TRUE(out.publish());
  EXPECT_TRUE(in.has_more());
  EXPECT_EQ(read(in), "one");
  EXPECT_EQ(read(in), "empty");
  EXPECT_FALSE(out.publish());
}

TEST_F(ring, one_publish_shows_many_records_in_order) {
  auto out = make_writer();
  auto in = make_reader();
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(write(out, "record " + std::to_string(i)));
  }
  out.publish();
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(read(in), "record " + std::to_string(i));
  }
}

TEST_F(ring, discarded_records_are_never_seen) {
  auto out = make_writer();
  auto in = make_reader();
  ASSERT_TRUE(write(out, "published"));
  out.publish();
  ASSERT_TRUE(write(out, "discarded"));
  out.discard();
  ASSERT_TRUE(write(out, "next"));
  out.publish();
  EXPECT_EQ(read(in), "published");
  EXPECT_EQ(read(in), "next");
}

TEST_F(ring, records_of_all_sizes_are_contiguous_across_the_end) {
  auto out = make_writer();
  auto in = make_reader();
  random_source random{1};
  for (int i = 0; i < 20'000; ++i) {
    const std::string body(1 + random.below(600), static_cast<char>('a' + i % 26));
    ASSERT_TRUE(write(out, body));
    out.publish();
    ASSERT_EQ(read(in), body);
  }
}

TEST_F(ring, a_record_as_large_as_the_ring_fits_wherever_it_begins) {
  auto out = make_writer();
  auto in = make_reader();
  for (int i = 0; i < 40; ++i) {
    ASSERT_TRUE(write(out, std::string(100 + static_cast<std::size_t>(i), 's')));
    out.publish();
    ASSERT_NE(read(in), "empty");
    const std::string whole(out.body_bytes_max(), static_cast<char>('A' + i));
    ASSERT_TRUE(write(out, whole));
    out.publish();
    ASSERT_EQ(read(in), whole);
  }
  EXPECT_EQ(out.reserve(out.body_bytes_max() + 1), nullptr);
}

TEST_F(ring, full_ring_refuses_and_takes_again_after_release) {
  auto out = make_writer();
  auto in = make_reader();
  const std::string body(248, 'x');  // 256 bytes with its header: 16 of them.
  for (int i = 0; i < 16; ++i) {
    ASSERT_TRUE(write(out, body));
  }
  EXPECT_FALSE(write(out, "y"));
  out.publish();
  std::string_view first;
  ASSERT_EQ(in.peek(first), ring_state::record);
  in.consume();
  EXPECT_FALSE(write(out, body)) << "consumed, but not released";
  EXPECT_FALSE(in.release()) << "nobody asked to be told of room";
  EXPECT_TRUE(write(out, body));
  EXPECT_FALSE(write(out, "y"));
}

TEST_F(ring, reader_hears_that_the_writer_wants_room) {
  auto out = make_writer();
  auto in = make_reader();
  ASSERT_TRUE(write(out, "x"));
  out.publish();
  out.want_room(true);
  std::string_view body;
  ASSERT_EQ(in.peek(body), ring_state::record);
  EXPECT_FALSE(in.release()) << "nothing was consumed";
  in.consume();
  EXPECT_TRUE(in.release());
}

TEST_F(ring, next_reader_drops_what_was_sent_to_the_last_one) {
  auto out = make_writer();
  auto first = make_reader();
  ASSERT_TRUE(write(out, "for the first"));
  out.publish();
  auto second = make_reader();
  EXPECT_EQ(read(second), "empty");
  ASSERT_TRUE(write(out, "for the second"));
  out.publish();
  EXPECT_EQ(read(second), "for the second");
}

TEST_F(ring, next_writer_goes_on_where_the_last_one_published_to) {
  auto in = make_reader();
  {
    auto first = make_writer();
    ASSERT_TRUE(write(first, "published"));
    first.publish();
    ASSERT_TRUE(write(first, "never published"));
  }
  auto second = make_writer();
  ASSERT_TRUE(write(second, "of the second"));
  second.publish();
  EXPECT_EQ(read(in), "published");
  EXPECT_EQ(read(in), "of the second");
}

TEST_F(ring, damaged_length_is_found_and_the_ring_works_again_after_reset) {
  for (const std::uint32_t size : {0U, 4U, 5000U, 0xffffffffU}) {
    auto out = make_writer();
    auto in = make_reader();
    const auto at = out.published() % capacity;
    ASSERT_TRUE(write(out, "one"));
    ASSERT_TRUE(write(out, "two"));
    out.publish();
    std::memcpy(raw_.data() + at, &size, sizeof size);
    EXPECT_EQ(read(in), "corrupt") << size;
    in.reset();
    EXPECT_EQ(read(in), "empty");
    ASSERT_TRUE(write(out, "three"));
    out.publish();
    EXPECT_EQ(read(in), "three");
  }
}

TEST_F(ring, length_with_a_matching_mark_cannot_reach_beyond_the_tail) {
  auto out = make_writer();
  auto in = make_reader();
  ASSERT_TRUE(write(out, "one"));
  out.publish();
  const std::uint32_t size = 4000;
  const std::uint32_t mark = size ^ record_mark;
  std::memcpy(raw_.data(), &size, sizeof size);
  std::memcpy(raw_.data() + 4, &mark, sizeof mark);
  EXPECT_EQ(read(in), "corrupt");
}

TEST_F(ring, damaged_tail_is_found_and_mended_by_the_next_publish) {
  for (const std::uint64_t tail : {std::uint64_t{3}, std::uint64_t{1} << 40U, ~std::uint64_t{0}}) {
    auto out = make_writer();
    auto in = make_reader();
    ASSERT_TRUE(write(out, "lost"));
    out.publish();
    control().tail.store(control().tail.load() + tail);
    EXPECT_EQ(read(in), "corrupt") << tail;
    in.reset();
    std::string got = read(in);
    // The writer notices the impossible head at the latest when it needs to know of room.
    for (int i = 0; i < 100 && got != "after"; ++i) {
      if (write(out, "after")) out.publish();
      got = read(in);
      if (got == "corrupt") in.reset();
    }
    EXPECT_EQ(got, "after");
    while (read(in) == "after") {
    }
  }
}

TEST_F(ring, writer_that_finds_impossible_positions_begins_where_the_reader_is) {
  control().head.store(808);
  control().tail.store(3);
  auto out = make_writer();
  EXPECT_EQ(out.published(), 808U);
  ASSERT_TRUE(write(out, "sound"));
  out.publish();
  EXPECT_EQ(control().tail.load(), 824U);
}

TEST_F(ring, random_bytes_never_lead_the_reader_outside) {
  random_source random{7};
  std::uint64_t bodies_bytes = 0;
  for (int round = 0; round < 3000; ++round) {
    for (std::size_t at = 0; at < capacity; at += 8) {
      // Half of the headers are plausible, so that the checks behind the first one are reached.
      std::uint64_t word = random.next();
      if (random.below(2) == 0) {
        const std::uint64_t size = random.below(200);
        word = size | (size ^ record_mark) << 32U;
      }
      std::memcpy(raw_.data() + at, &word, sizeof word);
    }
    control().tail.store(random.below(1 << 20) & ~7U);
    auto in = make_reader();
    control().tail.store(control().tail.load() + (random.below(2) == 0 ? random.next() : 8 * random.below(600)));
    std::string_view body;
    for (int i = 0; i < 1000 && in.peek(body) == ring_state::record; ++i) {
      ASSERT_GE(body.data(), in.memory().data());
      ASSERT_LE(body.data() + body.size(), in.memory().data() + 2 * capacity);
      bodies_bytes += body.size();
      in.consume();
      in.release();
    }
  }
  EXPECT_GT(bodies_bytes, 0U) << "no plausible record was among them";
}

TEST_F(ring, carries_a_million_bytes_in_order_between_two_threads) {
  constexpr std::uint64_t records = 30'000;
  auto in = make_reader();
  std::thread producer{[this] {
    auto out = make_writer();
    random_source random{3};
    for (std::uint64_t i = 0; i < records;) {
      const std::size_t size = 8 + random.below(100);
      char* const place = out.reserve(size);
      if (place == nullptr) {
        out.publish();
        std::this_thread::yield();
        continue;
      }
      std::memset(place, static_cast<int>(i % 251), size);
      std::memcpy(place, &i, sizeof i);
      if (++i % 7 == 0) out.publish();
    }
    out.publish();
  }};
  for (std::uint64_t expected = 0; expected < records;) {
    std::string_view body;
    const ring_state state = in.peek(body);
    if (state == ring_state::empty) {
      in.release();
      std::this_thread::yield();
      continue;
    }
    EXPECT_EQ(state, ring_state::record);
    std::uint64_t number = 0;
    std::memcpy(&number, body.data(), sizeof number);
    EXPECT_EQ(number, expected);
    EXPECT_EQ(body.find_first_not_of(static_cast<char>(expected % 251), 8), std::string_view::npos);
    in.consume();
    if (++expected % 5 == 0) in.release();
  }
  producer.join();
}

}  // namespace
}  // namespace grove
