// SPDX-License-Identifier: Apache-2.0
#include "client/client.h"

#include <gmock/gmock.h>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>

#include "base/hash.h"
#include "grove/v1/wire.pb.h"
#include "tests/unit/client/fake_actors.h"
#include "tests/unit/client/fake_server.h"
#include "tests/unit/client/loop_fixture.h"

namespace grove {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class client_test : public test::loop_fixture {
 protected:
  [[nodiscard]] client_options to_server() {
    client_options options;
    options.servers = {server.address()};
    options.seed = 1;
    return options;
  }
  /// Calls and runs the loop until the result is there.
  call_result call(client& with, std::string_view key, std::string_view payload, const call_options& options = {}) {
    std::optional<call_result> ended;
    with.async_call("test.Type", key, "Method", payload, options,
                    [&ended](const asio::error_code& error, call_result result) {
                      EXPECT_FALSE(error);
                      ended = std::move(result);
                    });
    run_until([&ended] { return ended.has_value(); });
    return ended.value_or(call_result{});
  }
  /// A key whose partition worker `owner` has, among `server.owners`.
  [[nodiscard]] std::string key_of(std::uint32_t owner) const {
    for (int i = 0;; ++i) {
      const std::string key = "key" + std::to_string(i);
      const std::uint64_t hash = hash_of_address(hash_of_name("test.Type"), key);
      if (server.owners[partition_of(hash, static_cast<std::uint32_t>(server.owners.size()))] == owner) return key;
    }
  }
  void TearDown() override {
    io.restart();
    io.poll();
  }

  test::fake_server server{io};
};

TEST_F(client_test, a_call_gets_its_answer) {
  client with{io, to_server()};
  const call_result result = call(with, "key", "hello");
  EXPECT_TRUE(result.ok());
  EXPECT_EQ(result.outcome, outcome::executed);
  EXPECT_EQ(result.payload, "hello");
}

// Asio offers coroutines under GCC, and under Clang only with its own library.
#if defined(ASIO_HAS_CO_AWAIT)
TEST_F(client_test, an_awaitable_call_returns_its_result) {
  client with{io, to_server()};
  std::string answer;
  asio::co_spawn(
      io,
      [&]() -> asio::awaitable<void> {
        // GCC 12 destroys a braced temporary in a co_await expression twice, so the options have a name.
        const call_options options;
        const call_result result =
            co_await with.async_call("test.Type", "key", "Method", "awaited", options, asio::use_awaitable);
        answer = result.payload;
      },
      asio::detached);
  run_until([&answer] { return !answer.empty(); });
  EXPECT_EQ(answer, "awaited");
}

#endif

TEST_F(client_test, a_future_call_returns_its_result) {
  client with{io, to_server()};
  auto future = with.async_call("test.Type", "key", "Method", "later", {}, asio::use_future);
  run_until([&future] { return future.wait_for(0s) == std::future_status::ready; });
  EXPECT_EQ(future.get().payload, "later");
}

TEST_F(client_test, a_handler_never_runs_within_its_own_initiation) {
  client with{io, to_server()};
  static_cast<void>(call(with, "key", ""));
  bool initiating = true;
  bool called = false;
  asio::post(io, [&] {
    // Too large for a frame: it fails at once.
    with.async_call("test.Type", "key", "Method", std::string(2U << 20U, 'x'), {},
                    [&](const asio::error_code&, const call_result& result) {
                      EXPECT_FALSE(initiating);
                      EXPECT_EQ(result.status.code(), status_code::invalid_argument);
                      called = true;
                    });
    initiating = false;
  });
  run_until([&called] { return called; });
}

TEST_F(client_test, calls_go_to_the_worker_that_owns_the_actor) {
  server.workers = 2;
  server.owners = {0, 1, 0, 1};
  std::vector<std::pair<std::uint32_t, std::string>> seen;
  server.on_request = [&seen](auto& from, const wire::request_view& request) {
    seen.emplace_back(from.wanted_worker.value_or(0), std::string{request.key});
    from.respond(request.id, "");
  };
  client with{io, to_server()};
  const std::string first = key_of(0);
  const std::string second = key_of(1);
  for (const auto& key : {first, second, first, second})
    static_cast<void>(call(with, key, ""));
  ASSERT_EQ(seen.size(), 4U);
  for (const auto& [worker, key] : seen)
    EXPECT_EQ(worker, key == first ? 0U : 1U);
  EXPECT_EQ(server.sessions().size(), 2U);
}

TEST_F(client_test, a_worker_that_cannot_be_reached_is_reached_through_another) {
  server.workers = 2;
  server.owners = {0, 1, 0, 1};
  server.on_hello = [](auto& from, const wire::hello_view& hello) {
    if (hello.wanted_worker == 1U) return from.drop();
    from.welcome(0);
  };
  client with{io, to_server()};
  EXPECT_EQ(call(with, key_of(1), "round about").payload, "round about");
}

TEST_F(client_test, each_welcome_refreshes_the_table) {
  server.workers = 2;
  server.owners = {0, 0, 0, 0};
  client with{io, to_server()};
  static_cast<void>(call(with, "key", ""));
  server.owners = {1, 1, 1, 1};
  server.sessions()[0]->drop();
  run_until([&] { return !call(with, "key", "").ok() || server.sessions().size() > 1; });
  EXPECT_TRUE(call(with, "key", "").ok());
  EXPECT_TRUE(call(with, "key", "").ok());
  EXPECT_EQ(server.sessions().back()->wanted_worker, 1U);
}

TEST_F(client_test, a_call_that_did_not_run_is_tried_again_and_one_that_may_have_run_is_not) {
  int requests = 0;
  outcome known = outcome::not_executed;
  server.on_request = [&](auto& from, const wire::request_view& request) {
    if (++requests == 1) return from.fail(request.id, status_code::unavailable, "restarting", known);
    from.respond(request.id, "second");
  };
  client with{io, to_server()};
  EXPECT_EQ(call(with, "key", "").payload, "second");
  EXPECT_EQ(requests, 2);
  requests = 0;
  known = outcome::unknown;
  const call_result failed = call(with, "key", "");
  EXPECT_EQ(failed.status.code(), status_code::unavailable);
  EXPECT_EQ(failed.outcome, outcome::unknown);
  EXPECT_EQ(requests, 1);
}

TEST_F(client_test, metadata_goes_with_the_request) {
  std::vector<std::string> got;
  server.on_request = [&got](test::fake_server::session& from, const wire::request_view& request) {
    std::string_view rest = request.body;
    while (const auto entry = wire::next_metadata(rest))
      got.push_back(std::string{entry->first}.append("=").append(entry->second));
    from.respond(request.id, request.payload);
  };
  client with{io, to_server()};
  call_options options;
  EXPECT_TRUE(call(with, "key", "", options).ok());
  EXPECT_TRUE(got.empty());
  options.metadata = {{"tenant", "blue"}, {"trace", "a=b"}};
  EXPECT_EQ(call(with, "key", "hello", options).payload, "hello");
  EXPECT_EQ(got, (std::vector<std::string>{"tenant=blue", "trace=a=b"}));
}

TEST_F(client_test, a_call_without_retry_is_tried_once) {
  int requests = 0;
  server.on_request = [&](auto& from, const wire::request_view& request) {
    ++requests;
    from.fail(request.id, status_code::unavailable, "restarting", outcome::not_executed);
  };
  client with{io, to_server()};
  call_options options;
  options.retry = false;
  EXPECT_FALSE(call(with, "key", "", options).ok());
  EXPECT_EQ(requests, 1);
}

TEST_F(client_test, an_unanswered_call_ends_at_its_deadline_and_is_cancelled) {
  client with{io, to_server()};
  // Connected, so that the deadline is about the answer alone.
  EXPECT_TRUE(call(with, "key", "").ok());
  server.on_request = [](auto&, const wire::request_view&) {};
  call_options options;
  options.timeout = 250ms;  // Enough to send it on a busy machine.
  const call_result result = call(with, "key", "", options);
  EXPECT_EQ(result.status.code(), status_code::deadline_exceeded);
  EXPECT_EQ(result.outcome, outcome::unknown);
  EXPECT_THAT(result.status.message(), HasSubstr("250 ms"));
  run_until([this] { return server.sessions()[0]->cancels.size() == 1; });
}

TEST_F(client_test, for_ever_is_longer_than_a_server_allows_and_not_over_at_once) {
  client_options longest = to_server();
  longest.connection.connect_timeout = std::chrono::milliseconds::max();
  longest.retry.longest_pause = std::chrono::milliseconds::max();
  client patient{io, longest};
  EXPECT_TRUE(call(patient, "key", "").ok());
  longest.call_timeout = std::chrono::milliseconds::max();
  client with{io, longest};
  EXPECT_TRUE(call(with, "key", "").ok()) << "what is only a default is cut";
  for (const std::chrono::microseconds timeout :
       {std::chrono::microseconds{300 * 365 * 24h}, std::chrono::microseconds::max()}) {
    call_options options;
    options.timeout = timeout;
    EXPECT_EQ(call(with, "key", "", options).status.code(), status_code::invalid_argument);
  }
}

TEST_F(client_test, a_call_that_could_not_be_sent_ends_at_its_deadline_as_not_executed) {
  server.on_hello = [](auto&, const wire::hello_view&) {};
  client with{io, to_server()};
  call_options options;
  options.timeout = 20ms;
  const call_result result = call(with, "key", "", options);
  EXPECT_EQ(result.status.code(), status_code::deadline_exceeded);
  EXPECT_EQ(result.outcome, outcome::not_executed);
}

TEST_F(client_test, an_unreachable_server_fails_calls_as_not_executed_and_says_what_was_tried) {
  server.stop_listening();
  client with{io, to_server()};
  const call_result result = call(with, "key", "");
  EXPECT_EQ(result.status.code(), status_code::unavailable);
  EXPECT_EQ(result.outcome, outcome::not_executed);
  EXPECT_THAT(result.status.message(), HasSubstr(server.address().to_string()));
}

TEST_F(client_test, the_next_server_is_tried_when_the_first_does_not_answer) {
  test::fake_server gone{io};
  gone.stop_listening();
  client_options options = to_server();
  options.servers = {gone.address(), server.address()};
  client with{io, options};
  EXPECT_TRUE(call(with, "key", "").ok());
}

TEST_F(client_test, a_lost_connection_is_opened_again) {
  client with{io, to_server()};
  EXPECT_TRUE(call(with, "key", "").ok());
  server.sessions()[0]->drop();
  run_until([&] { return server.sessions().size() > 1 || call(with, "key", "").ok(); });
  EXPECT_TRUE(call(with, "key", "again").ok());
}

TEST_F(client_test, a_draining_server_finishes_old_calls_and_new_ones_go_elsewhere) {
  std::uint64_t old = 0;
  server.on_request = [&old](auto& from, const wire::request_view& request) {
    if (old != 0) return from.respond(request.id, "new");
    old = request.id;
    from.drain();
  };
  client with{io, to_server()};
  std::string answer;
  with.async_call("test.Type", "key", "Method", "", {},
                  [&answer](const asio::error_code&, const call_result& result) { answer = result.payload; });
  run_until([&old] { return old != 0; });
  run_until([&] { return server.sessions().size() > 1 || call(with, "key", "").payload == "new"; });
  EXPECT_EQ(call(with, "key", "").payload, "new");
  server.sessions()[0]->respond(old, "old");
  run_until([&answer] { return !answer.empty(); });
  EXPECT_EQ(answer, "old");
  run_until([this] { return server.sessions()[0]->closed; });
}

TEST_F(client_test, a_cancelled_call_ends_with_operation_aborted) {
  server.on_request = [](auto&, const wire::request_view&) {};
  client with{io, to_server()};
  asio::cancellation_signal stop;
  asio::error_code seen;
  call_result ended;
  with.async_call("test.Type", "key", "Method", "", {},
                  asio::bind_cancellation_slot(stop.slot(), [&](const asio::error_code& error, call_result result) {
                    seen = error;
                    ended = std::move(result);
                  }));
  run_until([this] { return !server.sessions().empty() && server.sessions()[0]->requests.size() == 1; });
  stop.emit(asio::cancellation_type::terminal);
  run_until([&seen] { return bool{seen}; });
  EXPECT_EQ(seen, asio::error::operation_aborted);
  EXPECT_EQ(ended.status.code(), status_code::cancelled);
  EXPECT_EQ(ended.outcome, outcome::unknown);
  run_until([this] { return server.sessions()[0]->cancels.size() == 1; });
}

TEST_F(client_test, calls_beyond_the_clients_own_limit_fail_by_name) {
  server.on_request = [](auto&, const wire::request_view&) {};
  client_options options = to_server();
  options.unfinished_calls_max = 1;
  // The first call ends with the client, after this function.
  const auto ended = std::make_shared<int>(0);
  client with{io, options};
  with.async_call("test.Type", "key", "Method", "", {},
                  [ended](const asio::error_code&, const call_result&) { ++*ended; });
  const call_result second = call(with, "key", "");
  EXPECT_EQ(second.status.code(), status_code::resource_exhausted);
  EXPECT_THAT(second.status.message(), HasSubstr("unfinished_calls_max"));
  EXPECT_EQ(*ended, 0);
}

TEST_F(client_test, closing_ends_every_call_as_cancelled) {
  server.on_request = [](auto&, const wire::request_view&) {};
  std::vector<status_code> codes;
  {
    client with{io, to_server()};
    for (int i = 0; i < 3; ++i) {
      with.async_call(
          "test.Type", "key", "Method", "", {},
          [&codes](const asio::error_code&, const call_result& result) { codes.push_back(result.status.code()); });
    }
    run_until([this] { return !server.sessions().empty() && server.sessions()[0]->requests.size() == 3; });
  }
  run_until([&codes] { return codes.size() == 3; });
  EXPECT_THAT(codes, ::testing::Each(status_code::cancelled));
}

TEST_F(client_test, items_arrive_in_order_and_then_the_end) {
  server.on_request = [](auto& from, const wire::request_view& request) {
    for (const char* item : {"a", "b", "c"})
      from.item(request.id, item);
    from.respond(request.id, "");
  };
  client with{io, to_server()};
  std::string items;
  bool done = false;
  with.async_watch(
      "test.Type", "key", "Method", "", [&items](std::string_view item) { items += item; }, {},
      [&done](const asio::error_code&, const call_result& result) { done = result.ok(); });
  run_until([&done] { return done; });
  EXPECT_EQ(items, "abc");
}

TEST_F(client_test, a_tell_is_one_way) {
  bool one_way = false;
  server.on_request = [&one_way](auto& from, const wire::request_view& request) {
    one_way = request.one_way;
    from.respond(request.id, "");
  };
  client with{io, to_server()};
  bool done = false;
  with.async_tell("test.Type", "key", "Method", "", {},
                  [&done](const asio::error_code&, const call_result&) { done = true; });
  run_until([&done] { return done; });
  EXPECT_TRUE(one_way);
}

class blocking_client_test : public ::testing::Test {
 protected:
  [[nodiscard]] client_options to_server() const {
    client_options options;
    options.servers = {actors.listens_at()};
    return options;
  }
  test::fake_actors actors;
};

TEST_F(blocking_client_test, calls_from_many_threads_all_succeed) {
  client with{to_server()};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&with] {
      for (int n = 0; n < 200; ++n)
        EXPECT_TRUE(with.call("grove.Counter", "shared", "Add", "").ok());
    });
  }
  for (auto& each : threads)
    each.join();
  EXPECT_EQ(actors.sum(), 800);
}

TEST_F(blocking_client_test, typed_calls_return_messages_and_throw_failures) {
  client with{to_server()};
  v1::Cancel request;
  request.set_id(5);
  EXPECT_EQ(with.call_typed<v1::Cancel>("grove.Counter", "typed", "Add", request).id(), 5U);
  try {
    static_cast<void>(with.call_typed<v1::Cancel>("grove.Counter", "typed", "Reset", request));
    FAIL() << "it did not throw";
  } catch (const call_error& error) {
    EXPECT_EQ(error.code(), status_code::failed_precondition);
    EXPECT_EQ(error.outcome(), outcome::executed);
    EXPECT_STREQ(error.what(), "this one stays");
  }
}

TEST_F(blocking_client_test, watch_ends_when_the_caller_wants_no_more) {
  client with{to_server()};
  int items = 0;
  const call_result result =
      with.watch("grove.Topic", "news", "Subscribe", "", [&items](std::string_view) { return ++items < 2; });
  EXPECT_EQ(items, 2);
  EXPECT_EQ(result.status.code(), status_code::cancelled);
}

TEST_F(blocking_client_test, connect_tells_what_the_server_said) {
  actors.change([](test::fake_server& server) { server.nesting_max = 7; });
  client with{to_server()};
  EXPECT_TRUE(with.connect().ok());
  EXPECT_EQ(with.info().value_or(server_info{}).nesting_max, 7U);
}

TEST_F(blocking_client_test, connect_fails_when_nothing_listens) {
  actors.change([](test::fake_server& server) { server.stop_listening(); });
  client with{to_server()};
  EXPECT_EQ(with.connect().code(), status_code::unavailable);
}

}  // namespace
}  // namespace grove
