// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "tests/unit/mesh/mesh_fixture.h"

namespace grove {
namespace {

using testing::HasSubstr;

class mesh_stream : public mesh_fixture {
 protected:
  mesh_stream() {
    at(0).net->send(1, at(0).make(1));
    run();
  }
  [[nodiscard]] message& stream() { return *at(1).runtime.calls.at(0); }
  void write(const std::string& item) { stream().origin->item(stream(), payload_source{item}); }
  [[nodiscard]] std::size_t backlog() { return stream().origin->backlog_bytes(stream()); }
};

TEST_F(mesh_stream, items_come_in_order_and_before_the_end) {
  for (int i = 0; i < 5; ++i) {
    write(std::to_string(i));
  }
  at(1).runtime.answer(0, "");
  run();
  EXPECT_EQ(at(0).caller.items, (std::vector<std::string>{"0", "1", "2", "3", "4"}));
  EXPECT_EQ(at(0).caller.ends.size(), 1U);
}

TEST_F(mesh_stream, backlog_of_a_quick_reader_goes_back) {
  for (int i = 0; i < 40; ++i) {
    write(std::string(1000, 'x'));
  }
  EXPECT_EQ(backlog(), 40'000U);
  run();
  EXPECT_LT(backlog(), 16U * 1024);
  EXPECT_EQ(at(0).caller.items.size(), 40U);
}

TEST_F(mesh_stream, backlog_of_a_slow_reader_stays_until_it_has_read) {
  at(0).caller.items_wait = true;
  for (int i = 0; i < 40; ++i) {
    write(std::string(1000, 'x'));
  }
  run();
  EXPECT_EQ(backlog(), 40'000U);
  at(0).caller.backlog = 20'000;
  run();
  EXPECT_EQ(backlog(), 20'000U);
  at(0).caller.backlog = 0;
  run();
  EXPECT_EQ(backlog(), 0U);
}

TEST_F(mesh_stream, slow_reader_that_gets_its_end_is_not_looked_after_any_more) {
  at(0).caller.items_wait = true;
  for (int i = 0; i < 40; ++i) {
    write(std::string(1000, 'x'));
  }
  run();
  at(1).runtime.answer(0, "");
  run();
  at(0).caller.backlog = 0;
  run();
  EXPECT_EQ(at(0).net->calls_out(), 0U);
}

TEST_F(mesh_stream, item_that_ends_the_call_at_its_origin_cancels_it_at_its_actor) {
  at(0).caller.lets_go = true;
  write("too much for it");
  run();
  EXPECT_TRUE(stream().cancelled);
  at(1).runtime.answer(0, "");
  run();
  EXPECT_TRUE(at(0).caller.ends.empty());
  EXPECT_EQ(at(0).net->calls_out(), 0U);
}

TEST_F(mesh_stream, items_wait_when_the_ring_is_full_and_none_is_lost) {
  for (int i = 0; i < 100; ++i) {
    write(std::string(3000, 'x'));
  }
  run();
  EXPECT_EQ(at(0).caller.items.size(), 100U);
}

TEST_F(mesh_stream, item_larger_than_the_ring_ends_the_call_and_has_no_bounds_of_backlog) {
  write(std::string(70'000, 'x'));
  EXPECT_EQ(backlog(), std::numeric_limits<std::size_t>::max());
  write("another");
  at(1).runtime.answer(0, "its end");
  run();
  EXPECT_TRUE(at(0).caller.items.empty());
  ASSERT_EQ(at(0).caller.ends.size(), 1U);
  EXPECT_EQ(at(0).caller.ends[0].code, status_code::resource_exhausted);
  EXPECT_EQ(at(0).caller.ends[0].result, outcome::executed);
  EXPECT_THAT(at(0).caller.ends[0].text, HasSubstr("an item has"));
}

}  // namespace
}  // namespace grove
