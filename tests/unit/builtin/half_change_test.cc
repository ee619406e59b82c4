// SPDX-License-Identifier: Apache-2.0

// Handlers of the built-in types that change their state in several steps, without a copy to go back to: each step that
// can throw throws.

#include <gtest/gtest.h>

#include <new>
#include <string>
#include <utility>

#include "grove/v1/builtin.pb.h"
#include "tests/support/actor_world.h"
#include "tests/unit/builtin/failing_allocation.h"
#include "worker/builtin/builtin.h"
#include "worker/builtin/map.h"

namespace grove::test {
namespace {

// What protobuf's map allocates for itself is smaller: where that fails the map is lost, and the worker ends.
constexpr std::size_t text_bytes_min = 150;

const std::string long_name(text_bytes_min, 'n');
const std::string long_value(text_bytes_min, 'v');

v1::MapSetRequest entry(const std::string& name, const std::string& value) {
  v1::MapSetRequest request;
  request.set_name(name);
  request.set_value(value);
  return request;
}

builtin::MapActor* made = nullptr;

void add_map(actor_types& types) {
  actor_type_definition definition = builtin::MapActor::grove_definition();
  definition.object_size = sizeof(builtin::MapActor);
  definition.object_alignment = alignof(builtin::MapActor);
  definition.construct = [](void* place) -> actor* { return made = new (place) builtin::MapActor; };
  types.add_definition(std::move(definition));
}

class half_change : public actor_world {
 protected:
  half_change() : actor_world{add_map} {}

  /// Sets an entry of this map; of the allocations of the turn, the one with this number fails. False: there are not so
  /// many, and the entry is set.
  bool fails(const std::string& key, const v1::MapSetRequest& request, std::size_t number) {
    const std::uint64_t sent = send("grove.Map", key, "Set", request);
    bool failed = false;
    {
      const failing_allocation memory{number, text_bytes_min};
      run();
      failed = memory.failed();
    }
    EXPECT_EQ(sink.ended.at(sent).code == status_code::ok, !failed) << sink.ended.at(sent).text;
    return failed;
  }
  /// What the map that was made last says of the entry: its value, or nothing; each of the two ways to ask must say the
  /// same.
  static std::string value_of(const std::string& name) {
    v1::MapGetRequest get;
    get.set_name(name);
    const v1::MapGetResponse got = made->Get(get);
    const v1::MapListResponse listed = made->List({});
    bool is_listed = false;
    for (const auto& at : listed.entries())
      is_listed = is_listed || at.name() == name;
    EXPECT_EQ(is_listed, got.has_value());
    return got.has_value() ? got.value() : "(nothing)";
  }
};

TEST_F(half_change, of_a_map_is_none_when_a_new_entry_cannot_be_made) {
  const v1::MapSetRequest request = entry(long_name, long_value);
  bool failed = true;
  for (std::size_t number = 1; failed; ++number) {
    const std::string key = "map " + std::to_string(number);
    call("grove.Map", key, "Get", v1::MapGetRequest{});
    failed = fails(key, request, number);
    EXPECT_EQ(value_of(long_name), failed ? "(nothing)" : request.value()) << "allocation " << number << " failed";
    ASSERT_LT(number, 100U);
  }
}

TEST_F(half_change, of_a_map_is_none_when_an_entry_cannot_be_replaced) {
  const v1::MapSetRequest request = entry(long_name, long_value);
  bool failed = true;
  for (std::size_t number = 1; failed; ++number) {
    const std::string key = "map " + std::to_string(number);
    call("grove.Map", key, "Set", entry(long_name, "before"));
    failed = fails(key, request, number);
    EXPECT_EQ(value_of(long_name), failed ? "before" : request.value()) << "allocation " << number << " failed";
    ASSERT_LT(number, 100U);
  }
}

class half_change_of_a_topic : public actor_world {
 protected:
  half_change_of_a_topic() : actor_world{add_builtin_types} {}

  status publish(const std::string& text) {
    v1::TopicPublishRequest request;
    request.set_text(text);
    const ended_call end = call("grove.Topic", "t", "Publish", request);
    return {end.code, end.text};
  }
};

TEST_F(half_change_of_a_topic, gives_no_number_to_an_item_that_was_not_sent) {
  constexpr std::size_t text_bytes = 100'000;
  const std::uint64_t subscriber = send("grove.Topic", "t", "Subscribe", v1::TopicSubscribeRequest{});
  run();
  std::uint64_t published = 0;
  // The first allocations of this size keep the message and its request; then come those of the handler.
  bool handler_failed = false;
  for (std::size_t number = 1; !handler_failed; ++number) {
    const std::string text(text_bytes, 't');
    const std::string bytes = [&text] {
      v1::TopicPublishRequest request;
      request.set_text(text);
      return request.SerializeAsString();
    }();
    const std::size_t ended_before = sink.ended.size();
    try {
      const failing_allocation memory{number, text_bytes};
      const std::uint64_t sent = send_bytes("grove.Topic", "t", "Publish", bytes);
      run();
      ASSERT_TRUE(memory.failed()) << "no handler has failed";
      handler_failed = sink.ended[sent].text.starts_with("the handler threw");
      if (sink.ended[sent].code == status_code::ok) ++published;
    } catch (const std::bad_alloc&) {
      EXPECT_EQ(sink.ended.size(), ended_before) << "it was never sent";
    }
  }
  EXPECT_TRUE(publish("the next one").ok());
  ++published;
  ASSERT_EQ(sink.items[subscriber].size(), published);
  v1::TopicItem last;
  ASSERT_TRUE(last.ParseFromString(sink.items[subscriber].back()));
  EXPECT_EQ(last.sequence(), published);
  cancel(subscriber);
  run();
}

}  // namespace
}  // namespace grove::test
