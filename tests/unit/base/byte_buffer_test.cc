// SPDX-License-Identifier: Apache-2.0
#include "base/byte_buffer.h"

#include <gtest/gtest.h>

#include <string>

#include "base/random.h"

namespace grove {
namespace {

TEST(byte_buffer, behaves_as_a_string_that_is_appended_to_and_cut_at_the_front) {
  random_source random{7};
  byte_buffer buffer;
  std::string model;
  for (int round = 0; round < 20'000; ++round) {
    if (random.below(2) == 0) {
      const std::string piece(random.below(100), static_cast<char>('a' + random.below(26)));
      buffer.append(piece);
      model += piece;
    } else {
      const std::size_t cut = random.below(static_cast<std::uint32_t>(model.size()) + 1);
      buffer.consume(cut);
      model.erase(0, cut);
    }
    ASSERT_EQ(buffer.view(), model);
  }
}

TEST(byte_buffer, reuses_its_memory_when_it_is_filled_and_emptied_in_turn) {
  byte_buffer buffer{1024};
  const std::size_t capacity = buffer.capacity();
  for (int round = 0; round < 10'000; ++round) {
    buffer.append(std::string(300, 'x'));
    buffer.consume(buffer.size() - 10);
  }
  EXPECT_EQ(buffer.capacity(), capacity);
}

TEST(byte_buffer, prepared_bytes_belong_to_it_only_once_committed) {
  byte_buffer buffer;
  buffer.prepare(10)[0] = 'a';
  EXPECT_TRUE(buffer.empty());
  buffer.commit(1);
  EXPECT_EQ(buffer.view(), "a");
}

TEST(byte_buffer, gives_memory_back_only_when_empty) {
  byte_buffer buffer;
  buffer.append(std::string(5000, 'x'));
  buffer.shrink(100);
  EXPECT_EQ(buffer.size(), 5000U);
  buffer.clear();
  buffer.shrink(100);
  EXPECT_EQ(buffer.capacity(), 0U);
}

}  // namespace
}  // namespace grove
