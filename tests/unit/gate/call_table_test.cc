// SPDX-License-Identifier: Apache-2.0
#include "worker/gate/call_table.h"

#include <gtest/gtest.h>

#include "tests/support/actor_world.h"
#include "worker/builtin/builtin.h"

namespace grove::test {
namespace {

class table_of_calls : public actor_world {
 protected:
  table_of_calls() : actor_world{add_builtin_types} {}

  message_ptr call_of(const char* type = "grove.Counter", const char* method = "Get") {
    message_ptr call = actors->messages().make("k", {});
    call->type = types.find(type);
    call->method = call->type->find_method(method).value();
    return call;
  }

  call_count count;
  call_table table{count, 7};
};

TEST_F(table_of_calls, finds_a_call_by_its_id_until_it_has_ended) {
  const message_ptr first = call_of();
  const message_ptr second = call_of();
  table.begin(*first, 1, sink);
  table.begin(*second, 2, sink);
  EXPECT_EQ(table.find(1), first.get());
  EXPECT_EQ(table.find(2), second.get());
  EXPECT_EQ(table.find(3), nullptr);
  EXPECT_EQ(first->origin, &sink);
  EXPECT_EQ(first->origin_session, 7U);
  table.end(*first);
  EXPECT_EQ(table.find(1), nullptr);
  EXPECT_EQ(first->origin, nullptr) << "nobody is told of its end";
  EXPECT_EQ(table.size(), 1U);
  table.end(*second);
}

TEST_F(table_of_calls, loses_none_whichever_ends_first) {
  for (const std::size_t gone : {0U, 1U, 2U}) {
    std::array<message_ptr, 3> all{call_of(), call_of(), call_of()};
    for (std::size_t i = 0; i < all.size(); ++i)
      table.begin(*all[i], i, sink);
    table.end(*all[gone]);
    for (std::size_t i = 0; i < all.size(); ++i)
      EXPECT_EQ(table.find(i), i == gone ? nullptr : all[i].get());
    while (table.detach_one() != nullptr) {
    }
    EXPECT_EQ(count.unfinished(), 0U);
  }
}

TEST_F(table_of_calls, finds_the_latest_of_those_with_one_id) {
  const message_ptr first = call_of();
  const message_ptr second = call_of();
  table.begin(*first, 1, sink);
  table.begin(*second, 1, sink);
  EXPECT_EQ(table.find(1), second.get());
  table.end(*second);
  EXPECT_EQ(table.find(1), first.get());
  table.end(*first);
}

TEST_F(table_of_calls, detaches_each_once) {
  const message_ptr first = call_of();
  const message_ptr second = call_of();
  table.begin(*first, 1, sink);
  table.begin(*second, 2, sink);
  const message* const one = table.detach_one();
  const message* const other = table.detach_one();
  EXPECT_NE(one, other);
  EXPECT_EQ(table.detach_one(), nullptr);
  EXPECT_EQ(first->origin, nullptr);
  EXPECT_EQ(second->origin, nullptr);
  EXPECT_EQ(table.size(), 0U);
}

TEST_F(table_of_calls, knows_which_of_them_are_streams) {
  const message_ptr call = call_of();
  const message_ptr stream = call_of("grove.Topic", "Subscribe");
  table.begin(*call, 1, sink);
  table.begin(*stream, 2, sink);
  EXPECT_EQ(table.streams(), std::vector<std::uint64_t>{2});
  table.end(*call);
  table.end(*stream);
}

TEST_F(table_of_calls, of_several_connections_are_counted_together) {
  call_table other{count, 8};
  const message_ptr here = call_of();
  const message_ptr there = call_of();
  table.begin(*here, 1, sink);
  other.begin(*there, 1, sink);
  int done = 0;
  count.when_none([&] { ++done; });
  table.end(*here);
  EXPECT_EQ(done, 0);
  other.end(*there);
  EXPECT_EQ(done, 1);
  table.begin(*here, 1, sink);
  table.end(*here);
  EXPECT_EQ(done, 1) << "it is said once";
  count.when_none([&] { ++done; });
  EXPECT_EQ(done, 2) << "there is none already";
}

using table_of_calls_death = table_of_calls;

TEST_F(table_of_calls_death, ends_the_process_when_a_call_of_another_one_ends) {
  call_table other{count, 8};
  const message_ptr call = call_of();
  other.begin(*call, 1, sink);
  EXPECT_DEATH(table.end(*call), "not of this table");
  other.end(*call);
}

TEST_F(table_of_calls_death, ends_the_process_when_calls_are_left) {
  const message_ptr call = call_of();
  const auto leave_one = [&] {
    call_table short_lived{count, 9};
    short_lived.begin(*call, 1, sink);
  };
  EXPECT_DEATH(leave_one(), "have not been detached");
}

}  // namespace
}  // namespace grove::test
