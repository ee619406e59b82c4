// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "grove/v1/builtin.pb.h"
#include "tests/support/actor_world.h"
#include "worker/builtin/builtin.h"

namespace grove::test {
namespace {

class map : public actor_world {
 protected:
  map() : actor_world{add_builtin_types} {}

  ended_call set(const std::string& name, const std::string& value) {
    v1::MapSetRequest request;
    request.set_name(name);
    request.set_value(value);
    return call("grove.Map", "m", "Set", request);
  }

  v1::MapGetResponse get(const std::string& name) {
    v1::MapGetRequest request;
    request.set_name(name);
    return ask<v1::MapGetResponse>("grove.Map", "m", "Get", request);
  }

  v1::MapListResponse list(const std::string& prefix, const std::string& after = {}, std::uint32_t limit = 0) {
    v1::MapListRequest request;
    request.set_prefix(prefix);
    request.set_after(after);
    request.set_limit(limit);
    return ask<v1::MapListResponse>("grove.Map", "m", "List", request);
  }

  static std::vector<std::string> names(const v1::MapListResponse& response) {
    std::vector<std::string> found;
    for (const auto& entry : response.entries())
      found.push_back(entry.name());
    return found;
  }
};

TEST_F(map, gives_back_what_was_set_and_tells_absent_from_empty) {
  set("a", "1");
  set("empty", "");
  EXPECT_EQ(get("a").value(), "1");
  EXPECT_TRUE(get("empty").has_value());
  EXPECT_FALSE(get("absent").has_value());
}

TEST_F(map, says_whether_an_entry_existed) {
  v1::MapSetResponse response;
  response.ParseFromString(set("a", "1").payload);
  EXPECT_FALSE(response.existed());
  response.ParseFromString(set("a", "2").payload);
  EXPECT_TRUE(response.existed());
  v1::MapDeleteRequest request;
  request.set_name("a");
  EXPECT_TRUE(ask<v1::MapDeleteResponse>("grove.Map", "m", "Delete", request).existed());
  EXPECT_FALSE(ask<v1::MapDeleteResponse>("grove.Map", "m", "Delete", request).existed());
}

TEST_F(map, lists_in_order_by_prefix_and_in_pages) {
  for (const char* name : {"b2", "a", "b1", "c", "b3"})
    set(name, "v");
  EXPECT_EQ(names(list("b")), (std::vector<std::string>{"b1", "b2", "b3"}));
  const v1::MapListResponse page = list("", "", 2);
  EXPECT_EQ(names(page), (std::vector<std::string>{"a", "b1"}));
  EXPECT_TRUE(page.more());
  const v1::MapListResponse last = list("", "b2", 10);
  EXPECT_EQ(names(last), (std::vector<std::string>{"b3", "c"}));
  EXPECT_FALSE(last.more());
}

TEST_F(map, refuses_bytes_beyond_its_limit_and_takes_them_again_after_a_delete) {
  const std::string half(512 * 1024, 'x');
  EXPECT_EQ(set("a", half).code, status_code::ok);
  EXPECT_EQ(set("b", half).code, status_code::resource_exhausted);
  EXPECT_EQ(set("a", "small").code, status_code::ok);
  EXPECT_EQ(set("b", half).code, status_code::ok);
}

TEST_F(map, keeps_its_order_over_passivation) {
  set("b", "2");
  set("a", "1");
  for (int second = 0; second < 601; ++second)
    actors->sweep_idle();
  run();
  ASSERT_EQ(actors->active_actors(), 0U);
  EXPECT_EQ(names(list("")), (std::vector<std::string>{"a", "b"}));
}

}  // namespace
}  // namespace grove::test
