// SPDX-License-Identifier: Apache-2.0
// Whatever a client sends: a clear refusal, and a server that goes on serving.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "grove/v1/builtin.pb.h"
#include "tests/support/requests.h"
#include "tests/support/server_process.h"
#include "tests/support/wire_client.h"

namespace grove::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class bad_input : public testing::Test {
 protected:
  explicit bad_input(std::vector<std::string> more = {}) : server{{.workers = 2, .more = std::move(more)}} {}
  void TearDown() override {
    // Every worker still serves, and none was replaced.
    for (std::uint32_t worker = 0; worker < 2; ++worker) {
      EXPECT_EQ(welcomed_by(worker).call("grove.Counter", "alive", "Get", "").code(), 0U);
    }
    EXPECT_THAT(server.process().error_text(), testing::Not(HasSubstr("died")));
    EXPECT_EQ(server.stop().exit, (exit_result{.code = 0, .signal = 0}));
  }

  virtual wire_client welcomed_by(std::uint32_t worker) {
    wire_client client{server.address()};
    EXPECT_EQ(client.greet(worker).worker(), worker);
    return client;
  }

  /// What the server answers to `bytes` before it closes the connection.
  v1::Refusal refusal_of(const std::string& bytes) {
    wire_client client{server.address()};
    client.send_bytes(bytes);
    return refusal_from(client);
  }

  static v1::Refusal refusal_from(wire_client& client) {
    const auto answer = client.receive();
    if (!answer || !answer->has_refusal()) {
      ADD_FAILURE() << "no Refusal: " << (answer ? answer->ShortDebugString() : "closed");
      return {};
    }
    EXPECT_FALSE(client.receive().has_value()) << "a refused connection is closed";
    return answer->refusal();
  }

  server_process server;
};

/// With a server that waits no longer than a test should.
class silence : public bad_input {
 protected:
  silence() : bad_input{{"--limits.first-frame-within", "1s"}} {}
  wire_client welcomed_by(std::uint32_t worker) override {
    // On a busy machine a hello may come too late as well, and the next one in time.
    const auto give_up = time_after(std::chrono::steady_clock::now(), std::chrono::seconds{60});
    for (;;) {
      try {
        return bad_input::welcomed_by(worker);
      } catch (const std::runtime_error&) {
        if (std::chrono::steady_clock::now() > give_up) throw;
      }
    }
  }
};

TEST_F(bad_input, garbage_on_the_port_is_refused) {
  EXPECT_THAT(refusal_of("GET / HTTP/1.1\r\nHost: x\r\n\r\n").message(),
              AllOf(HasSubstr("frame_bytes"), HasSubstr("Grove protocol")));
}

TEST_F(bad_input, frame_that_is_no_envelope_is_refused) {
  EXPECT_THAT(refusal_of(std::string("\0\0\0\3\xff\xff\xff", 7)).message(), HasSubstr("no Envelope"));
}

TEST_F(bad_input, empty_frame_is_refused) {
  EXPECT_THAT(refusal_of(std::string("\0\0\0\0", 4)).message(), HasSubstr("length 0"));
}

TEST_F(bad_input, frame_that_is_too_large_is_refused_by_its_header) {
  EXPECT_THAT(refusal_of(std::string("\0\x10\0\1", 4)).message(),
              AllOf(HasSubstr("1048577"), HasSubstr("frame_bytes allows 1048576")));
}

TEST_F(bad_input, version_999_is_refused_and_the_right_one_named) {
  v1::Envelope hello;
  hello.mutable_hello()->set_version(999);
  EXPECT_THAT(refusal_of(frame_of(hello)).message(), AllOf(HasSubstr("999"), HasSubstr("speaks version 1")));
}

TEST_F(bad_input, request_before_hello_is_refused) {
  v1::Envelope request;
  request.mutable_request()->set_id(1);
  EXPECT_THAT(refusal_of(frame_of(request)).message(), HasSubstr("Hello"));
}

TEST_F(bad_input, worker_that_does_not_exist_is_refused_and_the_range_named) {
  v1::Envelope hello;
  hello.mutable_hello()->set_version(1);
  hello.mutable_hello()->set_wanted_worker(7);
  EXPECT_THAT(refusal_of(frame_of(hello)).message(), HasSubstr("workers 0 to 1"));
}

TEST_F(silence, at_the_start_is_ended) {
  wire_client client{server.address()};
  EXPECT_THAT(refusal_from(client).message(), HasSubstr("1000 ms"));
}

TEST_F(silence, after_half_a_frame_is_ended) {
  wire_client client{server.address()};
  client.send_bytes(std::string("\0\0\0\x10 abc", 7));
  EXPECT_THAT(refusal_from(client).message(), HasSubstr("1000 ms"));
}

TEST_F(bad_input, unknown_type_and_method_name_the_nearest) {
  wire_client client{server.address()};
  client.greet();
  const v1::Response type = client.call("grove.Conter", "x", "Add", "");
  EXPECT_EQ(type.code(), 5U);
  EXPECT_EQ(type.outcome(), v1::OUTCOME_NOT_EXECUTED);
  EXPECT_THAT(type.message(), HasSubstr("grove.Counter"));
  const v1::Response method = client.call("grove.Counter", "x", "Addd", "");
  EXPECT_EQ(method.code(), 12U);
  EXPECT_EQ(method.outcome(), v1::OUTCOME_NOT_EXECUTED);
  EXPECT_THAT(method.message(), HasSubstr("did you mean 'Add'"));
}

TEST_F(bad_input, key_at_the_limit_is_taken_and_one_byte_more_is_not) {
  wire_client client{server.address()};
  client.greet();
  EXPECT_EQ(client.call("grove.Counter", std::string(256, 'k'), "Get", "").code(), 0U);
  const v1::Response refused = client.call("grove.Counter", std::string(257, 'k'), "Get", "");
  EXPECT_EQ(refused.code(), 3U);
  EXPECT_THAT(refused.message(), AllOf(HasSubstr("257"), HasSubstr("key_bytes"), HasSubstr("256")));
}

TEST_F(bad_input, payload_nested_a_thousand_deep_is_refused_and_thirty_deep_is_not) {
  wire_client client{server.address()};
  client.greet();
  EXPECT_EQ(client.call("grove.Echo", "x", "Echo", nested_echo(31)).code(), 0U);
  const v1::Response refused = client.call("grove.Echo", "x", "Echo", nested_echo(1001));
  EXPECT_EQ(refused.code(), 3U);
  EXPECT_THAT(refused.message(), AllOf(HasSubstr("nested"), HasSubstr("32")));
  EXPECT_EQ(client.call("grove.Echo", "x", "Echo", nested_echo(34)).code(), 3U);
}

TEST_F(bad_input, payload_of_another_message_is_refused) {
  wire_client client{server.address()};
  client.greet();
  const v1::Response refused = client.call("grove.Counter", "x", "Add", "\xff\xff");
  EXPECT_EQ(refused.code(), 3U);
  EXPECT_THAT(refused.message(), HasSubstr("CounterAddRequest"));
}

TEST_F(bad_input, idempotency_key_is_refused_as_long_as_state_is_not_durable) {
  wire_client client{server.address()};
  client.greet();
  v1::Envelope request;
  request.mutable_request()->set_id(1);
  request.mutable_request()->set_type("grove.Counter");
  request.mutable_request()->set_method("Add");
  request.mutable_request()->set_idempotency_key("once");
  client.send(request);
  const v1::Response refused = client.next().response();
  EXPECT_EQ(refused.code(), 12U);
  EXPECT_EQ(refused.outcome(), v1::OUTCOME_NOT_EXECUTED);
}

// One worker, and an actor for each request: neither a ring nor a mailbox is filled, whose limits would refuse.
TEST(slow_client, gets_everything_that_it_asked_for) {
  server_process server{{.workers = 1}};
  wire_client client{server.address()};
  client.shrink_receive_buffer();
  client.greet();
  v1::EchoRequest echo;
  echo.set_text(std::string(500'000, 'x'));
  v1::Envelope request;
  request.mutable_request()->set_type("grove.Echo");
  request.mutable_request()->set_method("Echo");
  request.mutable_request()->set_payload(echo.SerializeAsString());
  // More than the server's output limit is asked for: it stops reading, and the sender waits until somebody reads.
  std::jthread sender{[&] {
    for (std::uint64_t id = 1; id <= 8; ++id) {
      request.mutable_request()->set_id(id);
      request.mutable_request()->set_key(std::to_string(id));
      client.send(request);
    }
  }};
  for (std::uint64_t id = 1; id <= 8; ++id) {
    const auto answer = client.receive();
    ASSERT_TRUE(answer && answer->has_response());
    EXPECT_EQ(answer->response().payload().size(), 500'004U) << answer->response().message();
  }
  sender.join();
  EXPECT_EQ(server.stop().exit, (exit_result{.code = 0, .signal = 0}));
}

}  // namespace
}  // namespace grove::test
