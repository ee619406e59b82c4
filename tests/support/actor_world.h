// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/process/limits.h"
#include "worker/actor/runtime.h"
#include "worker/hub/hub.h"
#include "worker/store/memory_store.h"

namespace grove::test {

/// How a call ended, kept.
struct ended_call {
  status_code code = status_code::ok;
  outcome result = outcome::unspecified;
  std::string text;
  std::string payload;
};

/// Stands for the gate: remembers what it is told.
class recording_sink final : public reply_sink {
 public:
  void finish(message& call, const reply& end) override;
  void item(message& call, const payload_source& payload) override;
  [[nodiscard]] std::size_t backlog_bytes(const message&) const override { return backlog; }

  std::map<std::uint64_t, ended_call> ended;
  std::map<std::uint64_t, std::vector<std::string>> items;
  std::vector<std::uint64_t> order;  ///< In which calls ended.
  std::size_t backlog = 0;
};

/// Keeps the tells that were lost, as "Type/key Method: why", and counts what its time has ended.
class loss_recorder final : public null_flight_recorder {
 public:
  void tell_lost(const message& tell, const status& why) override;

  void deadline_expired() override { ++deadlines_expired; }
  void turn_expired() override { ++turns_expired; }

  std::vector<std::string> lost;
  int deadlines_expired = 0;
  int turns_expired = 0;
};

/// A runtime with its own hub and its own time, for tests of actors. Its end fails the test when messages are left.
class actor_world : public testing::Test {
 protected:
  explicit actor_world(void (*add_types)(actor_types&));
  ~actor_world() override;

  /// Sends a call and returns its number; `run` lets things happen.
  std::uint64_t send(std::string_view type, std::string_view key, std::string_view method,
                     const google::protobuf::MessageLite& request);
  std::uint64_t send_bytes(std::string_view type, std::string_view key, std::string_view method,
                           std::string_view payload, bool one_way = false);
  /// The same for a message whose sender only wants to know that it is in the mailbox.
  std::uint64_t send_one_way(std::string_view type, std::string_view key, std::string_view method,
                             const google::protobuf::MessageLite& request);
  void cancel(std::uint64_t number) { actors->cancel(*calls.at(number)); }
  /// What holds between passes of the loop is looked at after each.
  void run();
  virtual void check_invariants() const;
  void advance(std::chrono::milliseconds step);

  /// Sends a call, runs until nothing is ready, and returns how it ended. Fails the test when it did not.
  ended_call call(std::string_view type, std::string_view key, std::string_view method,
                  const google::protobuf::MessageLite& request);

  /// The same for a call that must succeed.
  template <class Response>
  Response ask(std::string_view type, std::string_view key, std::string_view method,
               const google::protobuf::MessageLite& request) {
    const ended_call end = call(type, key, method, request);
    EXPECT_EQ(end.code, status_code::ok) << end.text;
    Response response;
    EXPECT_TRUE(response.ParseFromString(end.payload));
    return response;
  }

  [[nodiscard]] bool has_ended(std::uint64_t number) const { return sink.ended.contains(number); }

  manual_clock time;
  time_span time_of_calls = std::chrono::seconds{30};  ///< That are sent from now on.
  bool from_outside =
      false;  ///< Whether calls that are sent from now on come as those of clients and other workers do.
  hub loop{time};
  limits bounds;
  actor_types types;
  memory_store store;
  loss_recorder recorder;
  recording_sink sink;
  std::map<std::uint64_t, message*> calls;  ///< Valid until they have ended.
  std::unique_ptr<runtime> actors;

 private:
  std::uint64_t last_number_ = 0;
};

}  // namespace grove::test
