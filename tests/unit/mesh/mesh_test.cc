// SPDX-License-Identifier: Apache-2.0
#include "worker/mesh/mesh.h"

#include <cstring>

#include "tests/unit/mesh/mesh_fixture.h"
#include "worker/mesh/ring.h"
#include "worker/mesh/shared_placement.h"

namespace grove {
namespace {

using testing::HasSubstr;

class mesh_calls : public mesh_fixture {};

TEST_F(mesh_calls, call_arrives_as_it_was_sent) {
  at(0).net->send(1, at(0).make(7, "some payload"));
  run();
  ASSERT_EQ(at(1).runtime.calls.size(), 1U);
  const message& call = *at(1).runtime.calls[0];
  EXPECT_EQ(call.key(), "key");
  EXPECT_EQ(call.payload(), "some payload");
  EXPECT_EQ(call.chain(), "a chain");
  EXPECT_EQ(call.metadata(), "metadata");
  EXPECT_EQ(call.type, types_->at(1));
  EXPECT_EQ(call.method, 1);
  EXPECT_EQ(call.depth, 2);
  EXPECT_EQ(call.hash, 99U);
  EXPECT_EQ(call.deadline, time_after(at(1).time.now(), std::chrono::seconds{3}));
  EXPECT_TRUE(call.wants_reply());
  EXPECT_EQ(at(0).net->calls_out(), 1U);
  at(1).runtime.answer(0, "");
}

TEST_F(mesh_calls, answer_reaches_the_caller_whole) {
  at(0).net->send(1, at(0).make(7));
  run();
  message_ptr call = at(1).runtime.take(0);
  call->origin->finish(*call, {status_code::aborted, outcome::executed, "no luck", payload_source{"bytes"}});
  call.reset();
  run();
  ASSERT_EQ(at(0).caller.ends.size(), 1U);
  const auto& end = at(0).caller.ends[0];
  EXPECT_EQ(end.id, 7U);
  EXPECT_EQ(end.code, status_code::aborted);
  EXPECT_EQ(end.result, outcome::executed);
  EXPECT_EQ(end.text, "no luck");
  EXPECT_EQ(end.payload, "bytes");
  EXPECT_EQ(at(0).net->calls_out(), 0U);
  EXPECT_EQ(at(0).messages.in_use(), 0U);
  EXPECT_EQ(at(1).messages.in_use(), 0U);
}

TEST_F(mesh_calls, records_cross_in_the_order_in_which_they_were_sent) {
  for (std::uint64_t i = 0; i < 100; ++i) {
    at(0).net->send(1, at(0).make(i, std::to_string(i)));
  }
  at(1).runtime.answer_all = true;
  run();
  ASSERT_EQ(at(0).caller.ends.size(), 100U);
  for (std::uint64_t i = 0; i < 100; ++i) {
    EXPECT_EQ(at(0).caller.ends[i].payload, std::to_string(i));
  }
}

TEST_F(mesh_calls, many_calls_in_turn_use_few_numbers_and_leak_nothing) {
  at(1).runtime.answer_all = true;
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    at(0).net->send(1, at(0).make(i));
    if (i % 16 == 0) run();
  }
  run();
  EXPECT_EQ(at(0).caller.ends.size(), 20'000U);
  EXPECT_EQ(at(0).messages.in_use(), 0U);
  EXPECT_EQ(at(1).messages.in_use(), 0U);
  EXPECT_EQ(count(0, metric::mesh_sent), 20'000U);
  EXPECT_EQ(count(0, metric::mesh_received), 20'000U);
}

TEST_F(mesh_calls, nothing_is_visible_before_the_flush) {
  at(0).net->send(1, at(0).make(1));
  EXPECT_FALSE(at(1).net->poll());
  EXPECT_TRUE(at(0).net->flush());
  EXPECT_TRUE(at(1).net->poll());
  EXPECT_EQ(at(1).runtime.calls.size(), 1U);
}

TEST_F(mesh_calls, a_tell_is_freed_when_it_is_in_the_ring) {
  message_ptr tell = at(0).make(0);
  tell->origin = nullptr;
  at(0).net->send(1, std::move(tell));
  EXPECT_EQ(at(0).messages.in_use(), 0U);
  run();
  ASSERT_EQ(at(1).runtime.calls.size(), 1U);
  EXPECT_FALSE(at(1).runtime.calls[0]->wants_reply());
}

TEST_F(mesh_calls, say_that_they_are_one_way_and_are_answered) {
  message_ptr call = at(0).make(5);
  call->one_way = true;
  at(0).net->send(1, std::move(call));
  run();
  ASSERT_EQ(at(1).runtime.calls.size(), 1U);
  EXPECT_TRUE(at(1).runtime.calls[0]->one_way);
  at(1).runtime.answer(0, {});
  run();
  EXPECT_EQ(at(0).caller.ends.size(), 1U);
}

TEST_F(mesh_calls, leave_a_mesh_idle_when_they_are_written_and_read) {
  EXPECT_TRUE(at(0).net->idle());
  at(0).net->send(1, at(0).make(1));
  EXPECT_FALSE(at(0).net->idle()) << "it is not published";
  at(0).net->flush();
  EXPECT_TRUE(at(0).net->idle());
  EXPECT_FALSE(at(1).net->idle()) << "it is not read";
  run();
  EXPECT_TRUE(at(1).net->idle());
}

TEST_F(mesh_calls, cancel_reaches_the_call_and_it_is_still_answered) {
  message_ptr call = at(0).make(5);
  message& kept = *call;
  at(0).net->send(1, std::move(call));
  run();
  at(0).net->cancel(kept);
  run();
  EXPECT_EQ(at(1).runtime.cancels, 1);
  ASSERT_TRUE(at(1).runtime.calls[0]->cancelled);
  at(1).runtime.answer(0, "too late");
  run();
  ASSERT_EQ(at(0).caller.ends.size(), 1U);
}

TEST_F(mesh_calls, cancel_of_an_answered_call_is_ignored) {
  message_ptr call = at(0).make(5);
  message& kept = *call;
  at(0).net->send(1, std::move(call));
  run();
  at(1).runtime.answer(0, "answer");
  at(0).net->cancel(kept);
  run();
  EXPECT_EQ(at(1).runtime.cancels, 0);
  EXPECT_EQ(at(0).caller.ends.size(), 1U);
}

TEST_F(mesh_calls, answer_for_an_origin_that_has_gone_is_dropped) {
  message_ptr call = at(0).make(5);
  message& kept = *call;
  at(0).net->send(1, std::move(call));
  run();
  kept.origin = nullptr;
  at(1).runtime.answer(0, "answer");
  run();
  EXPECT_TRUE(at(0).caller.ends.empty());
  EXPECT_EQ(at(0).messages.in_use(), 0U);
}

TEST_F(mesh_calls, full_ring_refuses_requests_as_not_executed) {
  const std::string kilobyte(1000, 'k');
  std::uint64_t sent = 0;
  while (at(0).caller.ends.empty()) {
    at(0).net->send(1, at(0).make(sent++, kilobyte));
  }
  EXPECT_GT(sent, 50U);
  const auto& end = at(0).caller.ends[0];
  EXPECT_EQ(end.id, sent - 1);
  EXPECT_EQ(end.code, status_code::resource_exhausted);
  EXPECT_EQ(end.result, outcome::not_executed);
  EXPECT_THAT(end.text, HasSubstr("the ring to worker 1 is full"));
  EXPECT_EQ(count(0, metric::mesh_full), 1U);
  at(1).runtime.answer_all = true;
  run();
  EXPECT_EQ(at(0).caller.ends.size(), sent);
}

TEST_F(mesh_calls, message_larger_than_the_ring_is_refused_by_its_limit) {
  at(0).net->send(1, at(0).make(1, std::string(64 * 1024, 'x')));
  ASSERT_EQ(at(0).caller.ends.size(), 1U);
  EXPECT_EQ(at(0).caller.ends[0].code, status_code::resource_exhausted);
  EXPECT_THAT(at(0).caller.ends[0].text,
              HasSubstr("the ring to worker 1 takes 65528 (it grows with limits.frame-bytes-max)"));
}

TEST_F(mesh_calls, answers_wait_when_the_ring_is_full_and_none_is_lost) {
  const std::string large(9000, 'r');
  for (std::uint64_t i = 0; i < 50; ++i) {
    at(0).net->send(1, at(0).make(i, "x"));
  }
  at(0).net->flush();
  at(1).net->poll();
  ASSERT_EQ(at(1).runtime.calls.size(), 50U);
  while (!at(1).runtime.calls.empty()) {
    at(1).runtime.answer(0, large);
  }
  at(1).net->flush();
  EXPECT_GT(count(1, metric::mesh_overflow), 300'000U);
  // While they wait, requests the same way are refused: they would overtake.
  at(1).net->send(0, at(1).make(1, "y"));
  EXPECT_EQ(at(1).caller.ends.size(), 1U);
  run();
  ASSERT_EQ(at(0).caller.ends.size(), 50U);
  for (std::uint64_t i = 0; i < 50; ++i) {
    EXPECT_EQ(at(0).caller.ends[i].id, i);
    EXPECT_EQ(at(0).caller.ends[i].payload, large);
  }
  EXPECT_EQ(count(1, metric::mesh_overflow), 0U);
}

TEST_F(mesh_calls, answer_larger_than_the_ring_becomes_an_error) {
  at(0).net->send(1, at(0).make(3));
  run();
  at(1).runtime.answer(0, std::string(70'000, 'x'));
  run();
  ASSERT_EQ(at(0).caller.ends.size(), 1U);
  EXPECT_EQ(at(0).caller.ends[0].code, status_code::resource_exhausted);
  EXPECT_EQ(at(0).caller.ends[0].result, outcome::executed);
}

/// Types as another version has them, in another order.
std::unique_ptr<actor_types> other_types() {
  auto types = std::make_unique<actor_types>();
  types->add_definition({.name = "test.Extra", .methods = {{.name = "First"}}});
  types->add_definition({.name = "test.Counter", .methods = {{.name = "Second"}, {.name = "Third"}}});
  return types;
}

TEST_F(mesh_calls, type_or_method_that_the_worker_does_not_have_is_unimplemented) {
  const auto others = other_types();
  message_ptr call = at(0).make(1);
  call->type = others->find("test.Extra");
  call->method = 0;
  at(0).net->send(1, std::move(call));
  call = at(0).make(2);
  call->type = others->find("test.Counter");
  call->method = 1;
  at(0).net->send(1, std::move(call));
  run();
  EXPECT_TRUE(at(1).runtime.calls.empty());
  ASSERT_EQ(at(0).caller.ends.size(), 2U);
  for (const auto& end : at(0).caller.ends) {
    EXPECT_EQ(end.code, status_code::unimplemented);
    EXPECT_EQ(end.result, outcome::not_executed);
  }
}

TEST_F(mesh_calls, are_understood_by_a_worker_that_has_registered_its_types_in_another_order) {
  const auto others = other_types();
  message_ptr call = at(0).make(1);
  call->type = others->find("test.Counter");
  call->method = 0;
  at(0).net->send(1, std::move(call));
  run();
  ASSERT_EQ(at(1).runtime.calls.size(), 1U);
  EXPECT_EQ(at(1).runtime.calls[0]->type, at(1).types.find("test.Counter"));
  EXPECT_EQ(at(1).runtime.calls[0]->method, 1U);
}

TEST_F(mesh_calls, carry_what_is_left_of_their_time_and_no_reading_of_a_clock) {
  at(1).time.advance(std::chrono::hours{1});
  at(0).net->send(1, at(0).make(1));
  message_ptr endless = at(0).make(2);
  endless->deadline = steady_time::max();
  at(0).net->send(1, std::move(endless));
  run();
  ASSERT_EQ(at(1).runtime.calls.size(), 2U);
  EXPECT_EQ(at(1).runtime.calls[0]->deadline, time_after(at(1).time.now(), std::chrono::seconds{3}));
  EXPECT_EQ(at(1).runtime.calls[1]->deadline, steady_time::max());
}

TEST(shared_placement, follows_the_partition_table) {
  auto segment = shared_segment::create({.workers = 2});
  const shared_placement where{segment};
  EXPECT_EQ(where.of(0), (address_owner{0, 0, 1}));
  EXPECT_EQ(where.of(~std::uint64_t{0}), (address_owner{0, 1, 1}));
  segment.set_owner(0, 1);
  EXPECT_EQ(where.of(0), (address_owner{0, 1, 2}));
}

TEST_F(mesh_calls, carry_the_epoch_of_the_owner_that_they_were_sent_to) {
  message_ptr call = at(0).make(1);
  call->epoch = 41;
  at(0).net->send(1, std::move(call));
  run();
  ASSERT_EQ(at(1).runtime.calls.size(), 1U);
  EXPECT_EQ(at(1).runtime.calls[0]->epoch, 41U);
  at(1).runtime.answer(0, "");
}

TEST_F(mesh_calls, close_answers_what_others_have_and_sends_no_more) {
  at(0).net->send(1, at(0).make(1));
  at(1).net->send(0, at(1).make(2));
  run();
  at(0).net->close();
  ASSERT_EQ(at(0).caller.ends.size(), 1U);
  EXPECT_EQ(at(0).caller.ends[0].code, status_code::unavailable);
  EXPECT_EQ(at(0).caller.ends[0].result, outcome::unknown);
  at(0).net->send(1, at(0).make(3));
  EXPECT_EQ(at(0).caller.ends.back().result, outcome::not_executed);
  EXPECT_EQ(at(0).messages.in_use(), 1U);
  // What the runtime answers while it ends still leaves.
  at(0).runtime.answer(0, "last answer");
  workers_[0].reset();
  at(1).net->poll();
  ASSERT_EQ(at(1).caller.ends.size(), 1U);
  EXPECT_EQ(at(1).caller.ends[0].payload, "last answer");
  at(1).runtime.take(0);
}

class mesh_damage : public mesh_fixture {
 protected:
  /// Writes a record of the test's into the ring from worker 0 to worker 1.
  void inject(std::string_view body) {
    ring_writer out{segment_.ring(0, 1), {segment_.fd(), segment_.ring_offset(0, 1), segment_.ring_bytes()}};
    char* const place = out.reserve(body.size());
    ASSERT_NE(place, nullptr);
    std::memcpy(place, body.data(), body.size());
    out.publish();
  }
};

TEST_F(mesh_damage, calls_of_both_directions_fail_and_later_ones_work) {
  at(0).net->send(1, at(0).make(1));
  at(1).net->send(0, at(1).make(2));
  run();
  ASSERT_EQ(at(1).runtime.calls.size(), 1U);
  inject("this is no record of the mesh's");
  run();
  EXPECT_EQ(at(1).net->faults_of(0), 1U);
  EXPECT_EQ(count(1, metric::mesh_faults), 1U);
  EXPECT_THAT(logged_.str(), HasSubstr("the ring from worker 0 is damaged at position"));
  EXPECT_EQ(at(1).runtime.cancels, 1) << "what the sender has given up";
  ASSERT_EQ(at(0).caller.ends.size(), 1U);
  EXPECT_EQ(at(0).caller.ends[0].code, status_code::unavailable);
  EXPECT_EQ(at(0).caller.ends[0].result, outcome::unknown);
  ASSERT_EQ(at(1).caller.ends.size(), 1U);
  EXPECT_EQ(at(1).caller.ends[0].code, status_code::unavailable);
  EXPECT_EQ(at(1).caller.ends[0].result, outcome::unknown);

  // The answers that come all the same are for nobody.
  at(1).runtime.answer(0, "late");
  at(0).runtime.answer(0, "late");
  // Worker 0's own writer goes by its own positions; its next publish shows the reader an older tail.
  at(1).runtime.answer_all = true;
  for (std::uint64_t i = 10; i < 20; ++i) {
    at(0).net->send(1, at(0).make(i));
    run();
  }
  EXPECT_EQ(at(0).caller.ends.back().code, status_code::ok);
  EXPECT_EQ(at(0).net->calls_out(), 0U);
  EXPECT_EQ(at(1).net->calls_out(), 0U);
  EXPECT_EQ(at(0).messages.in_use(), 0U);
}

TEST_F(mesh_damage, every_truncation_and_flipped_byte_of_a_record_is_survived) {
  at(0).net->send(1, at(0).make(1));
  at(0).net->flush();
  ring_mapping raw{segment_.fd(), segment_.ring_offset(0, 1), segment_.ring_bytes()};
  std::uint32_t size = 0;
  std::memcpy(&size, raw.data(), sizeof size);
  const std::string sound{raw.data() + record_header_bytes, size};
  run();
  for (std::size_t at_byte = 0; at_byte < sound.size(); ++at_byte) {
    inject(std::string_view{sound}.substr(0, at_byte + 1));
    at(1).net->poll();
    std::string flipped = sound;
    flipped[at_byte] = static_cast<char>(~flipped[at_byte]);
    inject(flipped);
    at(1).net->poll();
  }
  EXPECT_GT(at(1).net->faults_of(0), sound.size() / 2);
}

}  // namespace
}  // namespace grove
