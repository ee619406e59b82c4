// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "grove/v1/builtin.pb.h"
#include "tests/support/actor_world.h"
#include "worker/builtin/builtin.h"

namespace grove::test {
namespace {

class topic : public actor_world {
 protected:
  topic() : actor_world{add_builtin_types} {}

  std::uint32_t publish(const std::string& text) {
    v1::TopicPublishRequest request;
    request.set_text(text);
    return ask<v1::TopicPublishResponse>("grove.Topic", "news", "Publish", request).subscribers();
  }
  std::uint64_t subscribe() {
    const std::uint64_t number = send("grove.Topic", "news", "Subscribe", v1::TopicSubscribeRequest{});
    run();
    return number;
  }
  v1::TopicItem item(std::uint64_t number, std::size_t index) {
    v1::TopicItem read;
    EXPECT_TRUE(read.ParseFromString(sink.items[number].at(index)));
    return read;
  }
};

TEST_F(topic, reaches_everybody_who_is_subscribed_at_that_moment) {
  EXPECT_EQ(publish("nobody hears this"), 0U);
  const auto first = subscribe();
  EXPECT_EQ(publish("one"), 1U);
  const auto second = subscribe();
  EXPECT_EQ(publish("two"), 2U);
  ASSERT_EQ(sink.items[first].size(), 2U);
  ASSERT_EQ(sink.items[second].size(), 1U);
  EXPECT_EQ(item(first, 0).text(), "one");
  EXPECT_EQ(item(second, 0).text(), "two");
  EXPECT_EQ(item(second, 0).sequence(), 3U);
  cancel(first);
  EXPECT_EQ(publish("three"), 1U);
  cancel(second);
  run();
}

}  // namespace
}  // namespace grove::test
