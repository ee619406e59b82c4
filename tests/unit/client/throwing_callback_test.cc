// SPDX-License-Identifier: Apache-2.0

// What a program gives the client to call may throw: the call, or the connection, ends by it, and nothing else does.

#include <gmock/gmock.h>

#include <asio/post.hpp>
#include <future>
#include <stdexcept>
#include <string>

#include "client/client.h"
#include "grove/v1/wire.pb.h"
#include "tests/unit/client/fake_actors.h"
#include "tests/unit/client/fake_server.h"
#include "tests/unit/client/loop_fixture.h"

namespace grove {
namespace {

using ::testing::HasSubstr;

class throwing_callback : public test::loop_fixture {
 protected:
  throwing_callback() {
    server.on_request = [](auto& from, const wire::request_view& request) {
      if (request.payload == "items") {
        from.item(request.id, "a");
        from.item(request.id, "b");
      } else {
        from.respond(request.id, request.payload);
      }
    };
    options.servers = {server.address()};
    options.seed = 1;
  }
  void TearDown() override {
    io.restart();
    io.poll();
  }

  /// Whether a call on what is left of the client's connection gets its answer.
  [[nodiscard]] bool still_serves(client& with) {
    std::string answer;
    with.async_call("test.Type", "key", "Method", "hello", {},
                    [&answer](const asio::error_code&, const call_result& result) { answer = result.payload; });
    run_until([&answer] { return !answer.empty(); });
    return answer == "hello" && server.sessions().size() == 1;
  }

  test::fake_server server{io};
  client_options options;
};

TEST_F(throwing_callback, for_items_ends_its_call_and_is_named_in_the_result) {
  client with{io, options};
  int items = 0;
  std::optional<call_result> ended;
  with.async_watch(
      "test.Type", "key", "Method", "items",
      [&items](std::string_view) {
        ++items;
        throw std::runtime_error{"no room for it"};
      },
      {}, [&ended](const asio::error_code&, call_result result) { ended = std::move(result); });
  run_until([&ended] { return ended.has_value(); });
  EXPECT_EQ(items, 1);
  EXPECT_EQ(ended->status.code(), status_code::cancelled);
  EXPECT_THAT(ended->status.message(), HasSubstr("on_item threw: no room for it"));
  run_until([this] { return server.sessions().front()->cancels.size() == 1; });
  EXPECT_TRUE(still_serves(with));
}

TEST_F(throwing_callback, for_the_end_of_a_call_leaves_the_loop_and_the_client_whole) {
  client with{io, options};
  bool called = false;
  with.async_call("test.Type", "key", "Method", "x", {}, [&called](const asio::error_code&, const call_result&) {
    called = true;
    throw std::runtime_error{"the caller's own"};
  });
  EXPECT_THROW(run_until([&called] { return called; }), std::runtime_error);
  EXPECT_TRUE(still_serves(with));
}

TEST_F(throwing_callback, for_names_is_a_name_that_cannot_be_resolved) {
  options.servers = {{"grove.example", 7400}};
  options.connection.look_up = [](const std::string&) -> found_addresses {
    throw std::runtime_error{"the table of names is damaged"};
  };
  client with{io, options};
  std::optional<call_result> ended;
  with.async_call("test.Type", "key", "Method", "x", {.retry = false},
                  [&ended](const asio::error_code&, call_result result) { ended = std::move(result); });
  run_until([&ended] { return ended.has_value(); });
  EXPECT_EQ(ended->status.code(), status_code::unavailable);
  EXPECT_THAT(ended->status.message(), HasSubstr("the table of names is damaged"));
}

class throwing_callback_of_a_thread : public ::testing::Test {
 protected:
  throwing_callback_of_a_thread() { options.servers = {actors.listens_at()}; }

  test::fake_actors actors;
  client_options options;
};

TEST_F(throwing_callback_of_a_thread, for_items_throws_to_whoever_waits) {
  client with{options};
  const auto on_item = [](std::string_view) -> bool { throw std::out_of_range{"not this one"}; };
  EXPECT_THROW(static_cast<void>(with.watch("grove.Topic", "news", "Subscribe", "", on_item)), std::out_of_range);
  EXPECT_TRUE(with.call("grove.Counter", "visits", "Add", "").ok());
}

TEST_F(throwing_callback_of_a_thread, for_typed_items_throws_to_whoever_waits) {
  client with{options};
  const auto on_item = [](const v1::Cancel&) -> bool { throw std::out_of_range{"not this one"}; };
  EXPECT_THROW(with.watch_typed<v1::Cancel>("grove.Topic", "news", "Subscribe", v1::Cancel{}, on_item),
               std::out_of_range);
}

TEST_F(throwing_callback_of_a_thread, for_the_end_of_a_call_is_reported_and_the_thread_goes_on) {
  std::promise<std::string> reported;
  options.on_handler_error = [&reported](const std::exception_ptr& error) {
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& thrown) {
      reported.set_value(thrown.what());
    }
  };
  client with{options};
  with.async_call("grove.Counter", "visits", "Add", "", {}, [](const asio::error_code&, const call_result&) {
    throw std::runtime_error{"nobody is there to catch it"};
  });
  EXPECT_EQ(reported.get_future().get(), "nobody is there to catch it");
  EXPECT_TRUE(with.call("grove.Counter", "visits", "Add", "").ok());
}

}  // namespace
}  // namespace grove
