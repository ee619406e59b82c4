// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "grove/v1/builtin.pb.h"
#include "tests/support/requests.h"
#include "tests/support/server_process.h"
#include "tests/support/wire_client.h"

namespace grove::test {
namespace {

using testing::HasSubstr;

v1::CounterValue counter_value(const v1::Response& response) {
  EXPECT_EQ(response.code(), 0U) << response.message();
  v1::CounterValue value;
  EXPECT_TRUE(value.ParseFromString(response.payload()));
  return value;
}

TEST(server, answers_for_an_actor_the_same_through_every_worker) {
  server_process server{{.workers = 3}};
  std::set<std::uint32_t> reached;
  v1::CounterAddRequest add;
  add.set_by(1);
  for (std::uint32_t wanted = 0; wanted < 3; ++wanted) {
    wire_client client{server.address()};
    reached.insert(client.greet(wanted).worker());
    for (int key = 0; key < 20; ++key) {
      const auto value =
          counter_value(client.call("grove.Counter", "k" + std::to_string(key), "Add", add.SerializeAsString()));
      EXPECT_EQ(value.value(), static_cast<int>(wanted) + 1);
    }
  }
  EXPECT_EQ(reached.size(), 3U) << "each wanted worker is the one that answers";
}

TEST(server, announces_its_limits_and_who_owns_what) {
  server_process server{{.workers = 2}};
  wire_client client{server.address()};
  const v1::Welcome welcome = client.greet();
  EXPECT_EQ(welcome.version(), 1U);
  EXPECT_EQ(welcome.workers(), 2U);
  EXPECT_EQ(welcome.limits().frame_bytes(), 1U << 20U);
  EXPECT_EQ(welcome.limits().key_bytes(), 256U);
  EXPECT_EQ(welcome.owners_size(), 1024);
  EXPECT_EQ(std::set<std::uint32_t>(welcome.owners().begin(), welcome.owners().end()), (std::set<std::uint32_t>{0, 1}));
}

TEST(server, answers_a_ping_with_its_nonce) {
  server_process server{{.workers = 1}};
  wire_client client{server.address()};
  client.greet();
  v1::Envelope ping;
  ping.mutable_ping()->set_nonce(77);
  client.send(ping);
  EXPECT_EQ(client.next().pong().nonce(), 77U);
}

TEST(server, cancels_a_call_that_waits) {
  server_process server{{.workers = 1}};
  wire_client client{server.address()};
  client.greet();
  v1::EchoSleepRequest sleep;
  sleep.set_milliseconds(60'000);
  v1::Envelope request;
  request.mutable_request()->set_id(5);
  request.mutable_request()->set_type("grove.Echo");
  request.mutable_request()->set_key("x");
  request.mutable_request()->set_method("Sleep");
  request.mutable_request()->set_payload(sleep.SerializeAsString());
  client.send(request);
  v1::Envelope cancel;
  cancel.mutable_cancel()->set_id(5);
  client.send(cancel);
  const v1::Response answer = client.next().response();
  EXPECT_EQ(answer.id(), 5U);
  EXPECT_EQ(answer.code(), 1U);
}

TEST(server, streams_what_is_published_to_subscribers_on_any_worker) {
  server_process server{{.workers = 2}};
  std::vector<std::unique_ptr<wire_client>> subscribers;
  for (std::uint32_t worker = 0; worker < 2; ++worker) {
    subscribers.push_back(std::make_unique<wire_client>(server.address()));
    subscribers.back()->greet(worker);
    v1::Envelope request;
    request.mutable_request()->set_id(1);
    request.mutable_request()->set_type("grove.Topic");
    request.mutable_request()->set_key("news");
    request.mutable_request()->set_method("Subscribe");
    subscribers.back()->send(request);
    // The answer to a second call of the same connection and actor proves that the first has arrived.
    subscribers.back()->call("grove.Topic", "news", "Publish", "");
  }
  wire_client publisher{server.address()};
  publisher.greet();
  v1::TopicPublishRequest publish;
  publish.set_text("hello");
  publisher.call("grove.Topic", "news", "Publish", publish.SerializeAsString());
  for (const auto& subscriber : subscribers) {
    for (;;) {
      const auto frame = subscriber->receive();
      ASSERT_TRUE(frame.has_value());
      v1::TopicItem item;
      ASSERT_TRUE(item.ParseFromString(frame->item().payload()));
      if (item.text() == "hello") break;
    }
  }
}

TEST(server, keeps_requests_of_one_connection_to_one_actor_in_order) {
  server_process server{{.workers = 2}};
  for (std::uint32_t worker = 0; worker < 2; ++worker) {
    wire_client client{server.address()};
    client.greet(worker);
    const std::string key = "ordered " + std::to_string(worker);
    std::string all;
    for (std::uint64_t id = 1; id <= 100; ++id) {
      v1::Envelope request;
      request.mutable_request()->set_id(id);
      request.mutable_request()->set_type("grove.Counter");
      request.mutable_request()->set_key(key);
      request.mutable_request()->set_method("Add");
      all += frame_of(request);
    }
    client.send_bytes(all);
    for (std::uint64_t n = 1; n <= 100; ++n) {
      const v1::Response response = client.next().response();
      EXPECT_EQ(static_cast<std::uint64_t>(counter_value(response).value()), response.id());
    }
  }
}

TEST(server, accepts_a_one_way_request_when_the_mailbox_has_it_on_whichever_worker_it_is) {
  constexpr std::uint64_t tells = 400;
  server_process server{{.workers = 2}};
  wire_client client{server.address()};
  const std::string key = keys_of(client.greet(0), "grove.Echo", 1, 1).front();
  v1::EchoSpinRequest spin;
  spin.set_microseconds(3'000);
  std::string frames;
  for (std::uint64_t id = 1; id <= tells; ++id) {
    v1::Envelope tell = request_envelope(id, "grove.Echo", key, "Spin", spin.SerializeAsString());
    tell.mutable_request()->set_one_way(true);
    frames += frame_of(tell);
  }
  client.send_bytes(frames);
  std::uint64_t accepted = 0;
  for (std::uint64_t id = 1; id <= tells; ++id) {
    const v1::Response response = client.receive()->response();
    if (response.code() == 0) {
      ++accepted;
      continue;
    }
    EXPECT_EQ(response.outcome(), v1::OUTCOME_NOT_EXECUTED);
    EXPECT_THAT(response.message(), HasSubstr("limits.mailbox-messages-max"));
  }
  EXPECT_GT(accepted, 0U);
  EXPECT_LT(accepted, tells);
}

TEST(server, tells_health_and_metrics_of_all_workers) {
  server_process server{{.workers = 2}};
  EXPECT_EQ(server.cli({"call", "grove.Counter/x", "Add"}).exit.code, 0);
  EXPECT_THAT(http_get(server.admin(), "/livez"), HasSubstr("200"));
  EXPECT_THAT(http_get(server.admin(), "/readyz"), HasSubstr("200"));
  const std::string metrics = http_get(server.admin(), "/metrics");
  EXPECT_THAT(metrics, HasSubstr("grove_turns_total{worker=\"0\"}"));
  EXPECT_THAT(metrics, HasSubstr("grove_turns_total{worker=\"1\"}"));
  EXPECT_THAT(http_get(server.admin(), "/nowhere"), HasSubstr("404"));
}

}  // namespace
}  // namespace grove::test
