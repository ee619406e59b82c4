// SPDX-License-Identifier: Apache-2.0
// What any protocol has taken from the wire, without one.
#include "worker/gate/intake.h"

#include <gmock/gmock.h>

#include "base/process/shared_metrics.h"
#include "tests/support/actor_world.h"
#include "worker/builtin/builtin.h"

namespace grove::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

/// "name=value;" each.
std::optional<request_metadata::entry> next_of_text(std::string_view& rest) noexcept {
  const auto end = rest.find(';');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view entry = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  const auto equals = entry.find('=');
  return request_metadata::entry{entry.substr(0, equals), entry.substr(equals + 1)};
}

/// Keeps its table as a protocol does.
class table_keeper final : public reply_sink {
 public:
  table_keeper(call_table& table, reply_sink& told) noexcept : table_{table}, told_{told} {}
  void finish(message& call, const reply& end) override {
    told_.finish(call, end);
    table_.end(call);
  }
  void item(message& call, const payload_source& payload) override { told_.item(call, payload); }
  [[nodiscard]] std::size_t backlog_bytes(const message&) const override { return 0; }

 private:
  call_table& table_;
  reply_sink& told_;
};

class intake_of_requests : public actor_world {
 protected:
  intake_of_requests() : actor_world{add_builtin_types} {}

  static incoming_request get() { return {.id = 1, .type = "grove.Counter", .key = "k", .method = "Get"}; }
  static incoming_request sleep() { return {.id = 1, .type = "grove.Echo", .key = "k", .method = "Sleep"}; }
  static incoming_request subscribe() { return {.id = 1, .type = "grove.Topic", .key = "k", .method = "Subscribe"}; }
  status take(const incoming_request& request) { return taker.take(request, table, keeper); }

  worker_metrics metrics{};
  call_count count;
  call_table table{count, 1};
  table_keeper keeper{table, sink};
  intake taker{*actors, metrics, bounds};
};

TEST_F(intake_of_requests, makes_a_message_whose_end_its_origin_is_told) {
  EXPECT_TRUE(take(get()).ok());
  ASSERT_NE(table.find(1), nullptr);
  EXPECT_EQ(table.find(1)->key(), "k");
  run();
  ASSERT_TRUE(has_ended(1));
  EXPECT_EQ(sink.ended[1].code, status_code::ok);
  EXPECT_EQ(metrics[metric::requests].get(), 1U);
}

TEST_F(intake_of_requests, gives_a_call_the_time_that_it_asks_for_or_that_of_the_limits) {
  incoming_request request = get();
  EXPECT_TRUE(take(request).ok());
  EXPECT_EQ(table.find(1)->deadline, time_after(loop.pass_time(), bounds.call_deadline));
  request.id = 2;
  request.remaining = 5ms;
  EXPECT_TRUE(take(request).ok());
  EXPECT_EQ(table.find(2)->deadline, time_after(loop.pass_time(), 5ms));
  request = subscribe();
  request.id = 3;
  EXPECT_TRUE(take(request).ok());
  EXPECT_EQ(table.find(3)->deadline, steady_time::max());
  run();
  taker.cancel(table, 3);
  run();
  EXPECT_EQ(table.size(), 0U);
}

TEST_F(intake_of_requests, reads_metadata_by_the_function_of_its_protocol) {
  incoming_request request = get();
  request.metadata = {.encoded = "tenant=blue;empty=;", .next = next_of_text, .entries = 2};
  EXPECT_TRUE(take(request).ok());
  EXPECT_FALSE(table.find(1)->metadata().empty());
  run();
  request.metadata = {.encoded = "tenant=\xff;", .next = next_of_text, .entries = 1};
  const status refused = take(request);
  EXPECT_EQ(refused.code(), status_code::invalid_argument);
  EXPECT_THAT(refused.message(), HasSubstr("the metadata 'tenant' is no UTF-8"));
}

TEST_F(intake_of_requests, cancels_by_id_and_knows_nothing_of_what_has_ended) {
  incoming_request request = subscribe();
  EXPECT_TRUE(take(request).ok());
  run();
  taker.cancel(table, 2);
  run();
  EXPECT_FALSE(has_ended(1));
  taker.cancel(table, 1);
  run();
  ASSERT_TRUE(has_ended(1));
  EXPECT_EQ(sink.ended[1].code, status_code::cancelled);
}

struct wrong_request {
  const char* name;
  void (*make)(incoming_request&);
  status_code code;
  const char* text;
};

class intake_of_wrong_requests : public intake_of_requests, public testing::WithParamInterface<wrong_request> {};

TEST_P(intake_of_wrong_requests, refuses_with_a_status_and_keeps_nothing) {
  incoming_request request = get();
  GetParam().make(request);
  const status refused = take(request);
  EXPECT_EQ(refused.code(), GetParam().code);
  EXPECT_THAT(refused.message(), HasSubstr(GetParam().text));
  EXPECT_EQ(table.size(), 0U);
  EXPECT_EQ(count.unfinished(), 0U);
  EXPECT_EQ(actors->messages().in_use(), 0U);
  EXPECT_EQ(metrics[metric::requests].get(), 1U);
}

INSTANTIATE_TEST_SUITE_P(each, intake_of_wrong_requests,
                         testing::Values(wrong_request{"type", [](incoming_request& r) { r.type = "grove.Countr"; },
                                                       status_code::not_found, "grove.Countr"},
                                         wrong_request{"method", [](incoming_request& r) { r.method = "Gett"; },
                                                       status_code::unimplemented, "Gett"},
                                         wrong_request{
                                             "idempotency_key", [](incoming_request& r) { r.idempotency_key = "i"; },
                                             status_code::unimplemented, "idempotency keys need durable state"},
                                         wrong_request{"time", [](incoming_request& r) { r.remaining = 1000h; },
                                                       status_code::invalid_argument, "call_microseconds_max"},
                                         wrong_request{"one_way_stream",
                                                       [](incoming_request& r) {
                                                         r.type = "grove.Topic";
                                                         r.method = "Subscribe";
                                                         r.one_way = true;
                                                       },
                                                       status_code::unimplemented, "grove.Topic Subscribe streams"}),
                         [](const auto& test) { return std::string{test.param.name}; });

TEST_F(intake_of_requests, that_drains_refuses_all) {
  EXPECT_FALSE(taker.draining());
  taker.refuse_all();
  EXPECT_TRUE(taker.draining());
  EXPECT_EQ(take(get()).code(), status_code::unavailable);
  EXPECT_EQ(table.size(), 0U);
}

}  // namespace
}  // namespace grove::test
