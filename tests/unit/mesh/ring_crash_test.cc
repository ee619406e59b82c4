// SPDX-License-Identifier: Apache-2.0
// Processes that are killed in the middle of using a ring.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "base/random.h"
#include "worker/mesh/ring.h"

namespace grove {
namespace {

constexpr std::uint64_t capacity = 16 * 1024;

ring_mapping map(const shared_segment& segment) {
  return {segment.fd(), segment.ring_offset(0, 1), segment.ring_bytes()};
}

/// Fills a record so that a half written one would be noticed: number, and bytes that follow from it.
void fill(char* place, std::size_t size, std::uint64_t number) {
  std::memset(place, static_cast<int>(number * 37 % 251), size);
  std::memcpy(place, &number, sizeof number);
}

[[noreturn]] void write_for_ever(const shared_segment& segment, std::uint64_t number) {
  ring_writer out{segment.ring(0, 1), map(segment)};
  random_source random{number};
  for (;;) {
    const std::size_t size = 8 + random.below(900);
    char* const place = out.reserve(size);
    if (place == nullptr) {
      out.publish();
      continue;
    }
    fill(place, size, number++);
    if (random.below(4) == 0) out.publish();
  }
}

class killed {
 public:
  template <class Body>
  explicit killed(const Body& body) : pid_{::fork()} {
    if (pid_ == 0) body();
  }
  killed(const killed&) = delete;
  killed& operator=(const killed&) = delete;
  ~killed() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

 private:
  ::pid_t pid_;
};

/// Reads and checks `limit` records, or what there is when `until_empty` is set.
void read_whole_records(ring_reader& in, std::uint64_t& expected, std::uint64_t limit, bool until_empty) {
  for (std::uint64_t count = 0; count < limit;) {
    std::string_view body;
    const ring_state state = in.peek(body);
    ASSERT_NE(state, ring_state::corrupt);
    if (state == ring_state::empty) {
      in.release();
      if (until_empty) return;
      continue;
    }
    std::uint64_t number = 0;
    ASSERT_GE(body.size(), sizeof number);
    std::memcpy(&number, body.data(), sizeof number);
    ASSERT_EQ(number, expected);
    ASSERT_EQ(body.find_first_not_of(static_cast<char>(number * 37 % 251), sizeof number), std::string_view::npos);
    in.consume();
    ++expected;
    ++count;
  }
}

TEST(ring_crash, only_whole_records_are_seen_when_writers_are_killed_in_the_middle) {
  const auto segment = shared_segment::create({.workers = 2, .ring_bytes = capacity});
  ring_reader in{segment.ring(0, 1), map(segment)};
  random_source random{11};
  std::uint64_t expected = 0;
  for (int round = 0; round < 200; ++round) {
    {
      const killed writer{[&] { write_for_ever(segment, expected); }};
      ASSERT_NO_FATAL_FAILURE(read_whole_records(in, expected, 1 + random.below(200), false));
    }
    ASSERT_NO_FATAL_FAILURE(read_whole_records(in, expected, ~std::uint64_t{0}, true));
  }
}

TEST(ring_crash, a_new_reader_sees_what_is_written_after_it_came) {
  const auto segment = shared_segment::create({.workers = 2, .ring_bytes = capacity});
  ring_writer out{segment.ring(0, 1), map(segment)};
  std::uint64_t number = 0;
  const auto write = [&] {
    char* const place = out.reserve(64);
    if (place == nullptr) return false;
    fill(place, 64, number++);
    out.publish();
    return true;
  };
  for (int round = 0; round < 50; ++round) {
    {
      const killed reader{[&] {
        ring_reader in{segment.ring(0, 1), map(segment)};
        for (std::string_view body;;) {
          if (in.peek(body) != ring_state::record) continue;
          in.consume();
          in.release();
        }
      }};
      // It lives when it has made room, which a full ring needs.
      const std::uint64_t far = number + 2 * capacity / 64;
      while (number < far) {
        write();
      }
    }
    ring_reader in{segment.ring(0, 1), map(segment)};
    std::uint64_t expected = number;
    for (int i = 0; i < 5; ++i) {
      ASSERT_TRUE(write());
    }
    ASSERT_NO_FATAL_FAILURE(read_whole_records(in, expected, 5, false));
  }
}

}  // namespace
}  // namespace grove
