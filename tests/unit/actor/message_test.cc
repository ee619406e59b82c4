// SPDX-License-Identifier: Apache-2.0
#include "worker/actor/message.h"

#include <gtest/gtest.h>

#include <string>

#include "worker/actor/metadata.h"

namespace grove::test {
namespace {

TEST(message_pool, copies_key_payload_chain_and_metadata) {
  message_pool pool;
  const message_ptr m = pool.make("key", "payload", "chain", "metadata");
  EXPECT_EQ(m->key(), "key");
  EXPECT_EQ(m->payload(), "payload");
  EXPECT_EQ(m->chain(), "chain");
  EXPECT_EQ(m->metadata(), "metadata");
}

TEST(message_pool, gives_the_memory_of_a_freed_message_to_the_next_of_its_size) {
  message_pool pool;
  message_ptr first = pool.make("k", std::string(100, 'x'));
  const message* const place = first.get();
  first.reset();
  const message_ptr second = pool.make("k", std::string(90, 'y'));
  EXPECT_EQ(second.get(), place);
  EXPECT_EQ(second->payload(), std::string(90, 'y'));
  EXPECT_EQ(second->origin, nullptr);
}

TEST(message_pool, holds_messages_of_every_size) {
  message_pool pool;
  for (std::size_t size = 0; size < 40'000; size = size * 2 + 1) {
    const std::string payload(size, 'p');
    EXPECT_EQ(pool.make("k", payload)->payload(), payload);
  }
  EXPECT_EQ(pool.in_use(), 0U);
}

TEST(metadata, of_a_name_is_its_last_value_or_nothing) {
  std::string entries;
  append_call_metadata(entries, "tenant", "red");
  append_call_metadata(entries, "", "nameless");
  append_call_metadata(entries, "empty", "");
  append_call_metadata(entries, "tenant", "blue");
  EXPECT_EQ(find_metadata(entries, "tenant"), "blue");
  EXPECT_EQ(find_metadata(entries, ""), "nameless");
  EXPECT_EQ(find_metadata(entries, "empty"), "");
  EXPECT_EQ(find_metadata(entries, "ten"), std::nullopt);
  EXPECT_EQ(find_metadata({}, "tenant"), std::nullopt);
}

}  // namespace
}  // namespace grove::test
