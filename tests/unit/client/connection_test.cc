// SPDX-License-Identifier: Apache-2.0
#include "client/connection.h"

#include <gmock/gmock.h>

#include <deque>

#include "tests/unit/client/fake_server.h"
#include "tests/unit/client/loop_fixture.h"

namespace grove {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

/// A call that notes how it ended.
class noted_call final : public outgoing_call {
 public:
  noted_call() : noted_call{"payload"} {}
  explicit noted_call(std::string_view bytes) {
    type = "test.Type";
    key = "key";
    method = "Method";
    payload = bytes;
  }
  bool ended = false;
  status_code code = status_code::ok;
  std::string message;
  outcome result = outcome::unspecified;
  std::string answer;
  std::vector<std::string> items;
  std::function<void()> then;

 private:
  void on_item(std::string_view item) override { items.emplace_back(item); }
  void on_end(const call_end& end) override {
    ended = true;
    code = end.code;
    message = end.message;
    result = end.result;
    answer = end.payload;
    if (then) then();
  }
};

class connection_test : public test::loop_fixture, public connection::listener {
 protected:
  void open(std::optional<std::uint32_t> wanted = std::nullopt) {
    link = std::make_shared<connection>(io, time, std::make_shared<dialer>(io, options.look_up, options.attempt_delay),
                                        options, *this);
    link->open(server.address(), wanted);
  }
  void open_ready() {
    open();
    run_until([this] { return ready; });
  }
  /// Ends the calls that a test leaves open, before they go out of scope.
  void hang_up() {
    if (link) link->close({status_code::cancelled, "the test is over"});
  }
  void TearDown() override {
    hang_up();
    io.restart();
    io.poll();
  }
  void on_ready(connection&) override { ready = true; }
  void on_drain(connection&) override { draining = true; }
  void on_closed(connection&, const status& why) override {
    closed = true;
    reason = why;
  }
  [[nodiscard]] test::fake_server::session& session() { return *server.sessions().at(0); }

  system_clock time;
  connection_options options;
  test::fake_server server{io};
  std::shared_ptr<connection> link;
  bool ready = false;
  bool draining = false;
  bool closed = false;
  status reason;
};

TEST_F(connection_test, says_hello_and_learns_what_the_server_says) {
  server.workers = 3;
  server.owners = {0, 1, 2, 0};
  server.unfinished_calls_max = 5;
  open(2);
  run_until([this] { return ready; });
  EXPECT_EQ(session().wanted_worker, 2U);
  EXPECT_EQ(link->info().worker, 2U);
  EXPECT_EQ(link->info().workers, 3U);
  EXPECT_EQ(link->info().owners, server.owners);
  EXPECT_EQ(link->info().unfinished_calls_max, 5U);
  EXPECT_EQ(link->info().server, "fake 1");
}

TEST_F(connection_test, answers_come_to_their_calls_in_any_order) {
  open_ready();
  std::vector<std::uint64_t> ids;
  server.on_request = [&ids](auto& from, const wire::request_view& request) {
    ids.push_back(request.id);
    if (ids.size() < 3) return;
    from.respond(ids[2], "third");
    from.respond(ids[0], "first");
    from.respond(ids[1], "second");
  };
  std::array<noted_call, 3> calls;
  for (auto& each : calls)
    link->start(each);
  run_until([&calls] { return calls[0].ended && calls[1].ended && calls[2].ended; });
  EXPECT_EQ(calls[0].answer, "first");
  EXPECT_EQ(calls[1].answer, "second");
  EXPECT_EQ(calls[2].answer, "third");
  EXPECT_TRUE(link->idle());
}

TEST_F(connection_test, calls_of_one_pass_go_out_in_one_write) {
  open_ready();
  const std::size_t before = session().reads;
  std::array<noted_call, 100> calls;
  for (auto& each : calls)
    link->start(each);
  run_until([&calls] { return calls[99].ended; });
  EXPECT_EQ(session().reads - before, 1U);
}

TEST_F(connection_test, calls_beyond_the_servers_limit_wait) {
  server.unfinished_calls_max = 2;
  std::deque<std::uint64_t> ids;
  server.on_request = [&ids](auto&, const wire::request_view& request) { ids.push_back(request.id); };
  open_ready();
  std::array<noted_call, 4> calls;
  for (auto& each : calls)
    link->start(each);
  run_until([&ids] { return ids.size() == 2; });
  io.poll();
  EXPECT_EQ(ids.size(), 2U);
  session().respond(ids[1], "");
  run_until([&ids] { return ids.size() == 3; });
  EXPECT_TRUE(calls[1].ended);
  EXPECT_EQ(ids[2], ids[1]) << "an id is free again after its response";
  hang_up();
}

TEST_F(connection_test, a_call_that_was_given_up_counts_until_it_is_answered) {
  server.unfinished_calls_max = 1;
  server.on_request = [](auto&, const wire::request_view&) {};
  open_ready();
  noted_call first;
  noted_call second;
  link->start(first);
  run_until([this] { return session().requests.size() == 1; });
  EXPECT_EQ(link->withdraw(first), outcome::unknown);
  link->start(second);
  run_until([this] { return session().cancels.size() == 1; });
  EXPECT_EQ(session().cancels[0], session().requests[0]);
  EXPECT_EQ(session().requests.size(), 1U);
  session().fail(session().requests[0], status_code::cancelled, "", outcome::executed);
  run_until([this] { return session().requests.size() == 2; });
  EXPECT_FALSE(first.ended);
  hang_up();
}

TEST_F(connection_test, a_call_that_still_waits_is_withdrawn_without_a_trace) {
  server.unfinished_calls_max = 1;
  server.on_request = [](auto&, const wire::request_view&) {};
  open_ready();
  noted_call first;
  noted_call second;
  link->start(first);
  link->start(second);
  EXPECT_EQ(link->withdraw(second), outcome::not_executed);
  run_until([this] { return session().requests.size() == 1; });
  EXPECT_TRUE(session().cancels.empty());
  hang_up();
}

TEST_F(connection_test, a_call_whose_time_is_over_is_not_sent) {
  server.unfinished_calls_max = 1;
  std::uint64_t first_id = 0;
  server.on_request = [&first_id](auto&, const wire::request_view& request) { first_id = request.id; };
  open_ready();
  noted_call late;
  late.deadline = time.now();
  link->start(late);
  EXPECT_TRUE(late.ended);
  EXPECT_EQ(late.code, status_code::deadline_exceeded);
  EXPECT_EQ(late.result, outcome::not_executed);

  noted_call first;
  noted_call waits;
  waits.deadline = time_after(time.now(), 10ms);
  link->start(first);
  link->start(waits);
  run_until([&] { return first_id != 0 && time.now() >= waits.deadline; });
  session().respond(first_id, "first");
  run_until([&waits] { return waits.ended; });
  EXPECT_EQ(waits.code, status_code::deadline_exceeded);
  EXPECT_EQ(waits.result, outcome::not_executed);
  EXPECT_EQ(session().requests.size(), 1U);
}

TEST_F(connection_test, items_come_before_the_response) {
  server.on_request = [](auto& from, const wire::request_view& request) {
    from.item(request.id, "one");
    from.item(request.id, "two");
    from.respond(request.id, "");
  };
  open_ready();
  noted_call call;
  link->start(call);
  run_until([&call] { return call.ended; });
  EXPECT_THAT(call.items, ::testing::ElementsAre("one", "two"));
}

TEST_F(connection_test, loss_ends_sent_calls_as_unknown_and_unsent_ones_as_not_executed) {
  server.unfinished_calls_max = 1;
  server.on_request = [](auto& from, const wire::request_view&) { from.drop(); };
  open_ready();
  noted_call sent;
  noted_call waiting;
  link->start(sent);
  link->start(waiting);
  run_until([this] { return closed; });
  EXPECT_EQ(sent.code, status_code::unavailable);
  EXPECT_EQ(sent.result, outcome::unknown);
  EXPECT_THAT(sent.message, HasSubstr("closed the connection"));
  EXPECT_EQ(waiting.code, status_code::unavailable);
  EXPECT_EQ(waiting.result, outcome::not_executed);
}

TEST_F(connection_test, a_call_that_was_queued_but_never_written_did_not_run) {
  open_ready();
  noted_call call;
  link->start(call);
  link->close({status_code::unavailable, "gone"});
  EXPECT_TRUE(call.ended);
  EXPECT_EQ(call.result, outcome::not_executed);
}

TEST_F(connection_test, a_refusal_says_why) {
  server.on_hello = [](auto& from, const wire::hello_view&) {
    from.refuse(status_code::failed_precondition, "version 1 is not spoken here");
  };
  open();
  run_until([this] { return closed; });
  EXPECT_FALSE(ready);
  EXPECT_TRUE(link->refused());
  EXPECT_EQ(reason.code(), status_code::failed_precondition);
  EXPECT_THAT(reason.message(), HasSubstr("version 1 is not spoken here"));
}

TEST_F(connection_test, a_welcome_of_another_version_is_refused) {
  server.version = 999;
  open();
  run_until([this] { return closed; });
  EXPECT_THAT(reason.message(), HasSubstr("version 999"));
}

TEST_F(connection_test, a_welcome_of_a_worker_that_does_not_exist_is_refused) {
  server.workers = 2;
  server.on_hello = [](auto& from, const wire::hello_view&) { from.welcome(2); };
  open();
  run_until([this] { return closed; });
  EXPECT_FALSE(ready);
  EXPECT_THAT(reason.message(), HasSubstr("a Welcome of a worker that does not exist"));
}

TEST_F(connection_test, a_server_that_does_not_answer_the_hello_is_given_up) {
  // The time to connect is in it: long enough for a machine that is busy.
  options.connect_timeout = 2500ms;
  server.on_hello = [](auto&, const wire::hello_view&) {};
  open();
  run_until([this] { return closed; });
  EXPECT_THAT(reason.message(), HasSubstr("no answer to the hello"));
  EXPECT_THAT(reason.message(), HasSubstr("within 2500 ms"));
}

TEST_F(connection_test, a_closed_port_is_said_to_refuse) {
  server.stop_listening();
  open();
  run_until([this] { return closed; });
  EXPECT_THAT(reason.message(), HasSubstr("cannot connect to " + server.address().to_string()));
}

TEST_F(connection_test, a_ping_is_answered) {
  open_ready();
  session().ping(42);
  run_until([this] { return session().pongs.size() == 1; });
  EXPECT_EQ(session().pongs[0], 42U);
}

TEST_F(connection_test, a_frame_from_the_future_is_skipped) {
  open_ready();
  session().raw(std::string{"\0\0\0\3\x7a\1x", 7});
  noted_call call;
  link->start(call);
  run_until([&call] { return call.ended; });
  EXPECT_EQ(call.code, status_code::ok);
  EXPECT_FALSE(closed);
}

TEST_F(connection_test, a_silent_server_is_pinged_and_lost_when_it_stays_silent) {
  options.ping_after = 20ms;
  // A server that answers must never look silent, however busy the machine is.
  options.ping_timeout = 2500ms;
  open_ready();
  run_until([this] { return session().pings >= 2; });
  EXPECT_FALSE(closed);
  session().answers_pings = false;
  run_until([this] { return closed; });
  EXPECT_THAT(reason.message(), HasSubstr("no answer to a ping"));
}

TEST_F(connection_test, drain_lets_calls_finish_and_takes_no_new_ones) {
  std::uint64_t id = 0;
  server.on_request = [&id](auto& from, const wire::request_view& request) {
    id = request.id;
    from.drain();
  };
  open_ready();
  noted_call call;
  link->start(call);
  run_until([this] { return draining; });
  EXPECT_FALSE(link->ready());
  link->close_when_idle();
  session().respond(id, "late");
  run_until([&call] { return call.ended; });
  EXPECT_EQ(call.answer, "late");
  run_until([this] { return link->closed(); });
}

TEST_F(connection_test, a_request_larger_than_a_frame_fails_alone) {
  open_ready();
  const std::string large(1U << 20U, 'x');
  noted_call call{large};
  noted_call small;
  link->start(call);
  EXPECT_EQ(call.code, status_code::invalid_argument);
  EXPECT_EQ(call.result, outcome::not_executed);
  EXPECT_THAT(call.message, HasSubstr("frame_bytes"));
  link->start(small);
  run_until([&small] { return small.ended; });
  EXPECT_EQ(small.code, status_code::ok);
}

TEST_F(connection_test, a_request_of_exactly_a_frame_is_sent_and_one_byte_more_is_refused_with_its_size) {
  std::vector<std::size_t> arrived;
  server.on_request = [&arrived](auto& from, const wire::request_view& request) {
    arrived.push_back(wire::envelope_bytes(request));
    from.respond(request.id, "");
  };
  open_ready();
  wire::request_view shape;
  shape.id = 1;
  shape.type = "test.Type";
  shape.key = "key";
  shape.method = "Method";
  const std::string content(link->info().frame_bytes_max, 'x');
  shape.payload = content;
  const std::size_t around = wire::envelope_bytes(shape) - content.size();
  noted_call fits{std::string_view{content}.substr(around)};
  noted_call past{std::string_view{content}.substr(around - 1)};
  link->start(past);
  EXPECT_EQ(past.code, status_code::invalid_argument);
  EXPECT_EQ(past.result, outcome::not_executed);
  EXPECT_EQ(past.message, "the request has 1048577 bytes; frame_bytes allows 1048576 (limits.frame-bytes-max)");
  link->start(fits);
  run_until([&fits] { return fits.ended; });
  EXPECT_EQ(fits.code, status_code::ok) << fits.message;
  EXPECT_EQ(arrived, (std::vector<std::size_t>{1'048'576}));
}

TEST_F(connection_test, a_large_answer_in_pieces_arrives_whole) {
  const std::string large(900'000, 'y');
  server.on_request = [&large](auto& from, const wire::request_view& request) { from.respond(request.id, large); };
  open_ready();
  noted_call call;
  link->start(call);
  run_until([&call] { return call.ended; });
  EXPECT_EQ(call.answer, large);
}

TEST_F(connection_test, a_callback_may_start_and_withdraw_other_calls) {
  open_ready();
  noted_call first;
  noted_call second;
  noted_call third;
  first.then = [&] {
    static_cast<void>(link->withdraw(second));
    link->start(third);
  };
  link->start(first);
  link->start(second);
  run_until([&third] { return third.ended; });
  EXPECT_FALSE(second.ended);
}

TEST_F(connection_test, the_remaining_time_is_sent) {
  std::vector<std::uint64_t> remaining;
  server.on_request = [&remaining](auto& from, const wire::request_view& request) {
    remaining.push_back(request.remaining_microseconds);
    from.respond(request.id, "");
  };
  open_ready();
  std::array<noted_call, 4> calls;
  calls[0].deadline = time_after(time.now(), 5min);
  calls[1].deadline = time.now() - 5s;
  calls[2].deadline = time_after(time.now(), 24h);
  calls[2].streams = true;
  for (auto& each : calls)
    link->start(each);
  run_until([&calls] { return calls[3].ended; });
  EXPECT_EQ(calls[1].code, status_code::deadline_exceeded);
  EXPECT_EQ(calls[1].result, outcome::not_executed);
  ASSERT_EQ(remaining.size(), 3U) << "what is over is not sent";
  EXPECT_LE(remaining[0], 300'000'000U);
  EXPECT_GT(remaining[0], 240'000'000U);
  EXPECT_GT(remaining[1], 86'000'000'000U) << "a stream may last as long as it likes";
  EXPECT_EQ(remaining[2], 0U) << "no deadline";
}

TEST_F(connection_test, a_call_that_asks_for_more_time_than_the_server_allows_is_refused_by_name) {
  open_ready();
  noted_call call;
  call.deadline = time_after(time.now(), 24h);
  link->start(call);
  EXPECT_TRUE(call.ended);
  EXPECT_EQ(call.code, status_code::invalid_argument);
  EXPECT_EQ(call.result, outcome::not_executed);
  EXPECT_EQ(call.message, "the call asks for 24h; call_microseconds_max allows 10m (limits.call-deadline-max)");
}

TEST_F(connection_test, a_time_that_nobody_asked_for_is_cut_to_what_the_server_allows) {
  std::uint64_t remaining = 0;
  server.on_request = [&remaining](auto& from, const wire::request_view& request) {
    remaining = request.remaining_microseconds;
    from.respond(request.id, "");
  };
  open_ready();
  noted_call call;
  call.deadline = time_after(time.now(), 24h);
  call.time_is_asked_for = false;
  link->start(call);
  run_until([&call] { return call.ended; });
  EXPECT_EQ(call.code, status_code::ok);
  EXPECT_EQ(remaining, 600'000'000U);
}

struct nonsense {
  const char* name;
  std::string bytes;
  const char* complaint;
};

class connection_nonsense_test : public connection_test, public ::testing::WithParamInterface<nonsense> {};

TEST_P(connection_nonsense_test, ends_the_connection_with_a_reason) {
  open_ready();
  session().raw(GetParam().bytes);
  run_until([this] { return closed; });
  EXPECT_THAT(reason.message(), HasSubstr(GetParam().complaint));
}

INSTANTIATE_TEST_SUITE_P(
    bytes, connection_nonsense_test,
    ::testing::Values(nonsense{"empty_frame", std::string(4, '\0'), "length 0"},
                      nonsense{"huge_frame", "\x7f\x7f\x7f\x7f", "frame_bytes"},
                      nonsense{"garbage", std::string{"\0\0\0\3\xff\xff\xff", 7}, "no envelope"},
                      nonsense{"unknown_answer", std::string{"\0\0\0\4\x22\2\x08\7", 8}, "not under way"},
                      nonsense{"a_request", std::string{"\0\0\0\4\x1a\2\x08\1", 8}, "only clients send"},
                      nonsense{"second_welcome", std::string{"\0\0\0\4\x12\2\x08\1", 8}, "second Welcome"}),
    [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace grove
