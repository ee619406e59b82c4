// SPDX-License-Identifier: Apache-2.0
// Another protocol than ours, over a stream that is no socket: the gate knows neither.
#include "worker/gate/protocol.h"

#include "tests/support/memory_stream.h"
#include "tests/unit/gate/gate_fixture.h"
#include "worker/gate/connection.h"

namespace grove::test {
namespace {

using namespace std::chrono_literals;
using testing::StartsWith;

/// A request is a line "TYPE KEY METHOD", an answer one of "CODE TEXT". It has no opening and no ids: it numbers its calls.
class line_protocol final : public protocol {
 public:
  explicit line_protocol(gate_connection& connection) noexcept : connection_{connection} {}

  [[nodiscard]] std::size_t take(byte_buffer& in) override {
    std::size_t lines = 0;
    while (connection_.takes_another()) {
      const std::string_view all = in.view();
      const auto end = all.find('\n');
      if (end == std::string_view::npos) break;
      if (lines == 0 && !open_) connection_.opened();
      open_ = true;
      request(all.substr(0, end));
      if (!connection_.takes_input()) break;
      in.consume(end + 1);
      ++lines;
      connection_.took_one();
    }
    return lines;
  }
  void refuse(status_code code, std::string_view text) override {
    answer(code, text);
    connection_.end_refused();
  }
  void refuse_late(late_input what, std::chrono::milliseconds) override {
    refuse(status_code::deadline_exceeded, what == late_input::opening ? "no line" : "half a line");
  }
  void announce_drain(std::chrono::milliseconds) override {}
  void probe() override {}
  void finish(message& call, const reply& end) override {
    const reply said = connection_.end_call(call, end);
    answer(said.code, said.text);
  }
  void item(message&, const payload_source&) override {
    connection_.out().append("item\n");
    connection_.appended();
  }
  [[nodiscard]] std::size_t backlog_bytes(const message&) const override { return connection_.backlog_bytes(); }

 private:
  void request(std::string_view line) {
    if (line == "quit") return refuse(status_code::ok, "bye");
    const auto key = line.find(' ');
    const auto method = line.rfind(' ');
    if (key == std::string_view::npos) return refuse(status_code::invalid_argument, "no request");
    const status taken = connection_.owner().requests().take({.id = ++last_id_,
                                                              .type = line.substr(0, key),
                                                              .key = line.substr(key + 1, method - key - 1),
                                                              .method = line.substr(method + 1)},
                                                             connection_.calls(), *this);
    if (!taken.ok()) answer(taken.code(), taken.message());
  }
  void answer(status_code code, std::string_view text) {
    connection_.out().append(std::to_string(static_cast<int>(code)) + " " + std::string{text} + "\n");
    connection_.appended();
  }

  gate_connection& connection_;
  std::uint64_t last_id_ = 0;
  bool open_ = false;
};

class line_protocol_factory final : public protocol_factory {
 public:
  [[nodiscard]] std::unique_ptr<protocol> make(gate_connection& connection) override {
    return std::make_unique<line_protocol>(connection);
  }
  void append_refusal(byte_buffer& out, status_code code, std::string_view text) const override {
    out.append(std::to_string(static_cast<int>(code)) + " " + std::string{text} + "\n");
  }
};

class another_protocol : public gate_test {
 protected:
  std::shared_ptr<memory_peer> connect_by_lines() {
    auto peer = std::make_shared<memory_peer>(loop);
    front->adopt(peer->server_end(), lines);
    run();
    return peer;
  }
  std::string said(memory_peer& peer, std::string_view bytes) {
    peer.send(bytes);
    run();
    return peer.take();
  }

  line_protocol_factory lines;
};

TEST_F(another_protocol, is_answered_beside_ours) {
  const auto peer = connect_by_lines();
  EXPECT_EQ(said(*peer, "grove.Counter k Get\n"), "0 \n");
  const auto ours = greeted();
  EXPECT_EQ(response_to(*ours, echo_of(1, 1)).code(), 0U);
  EXPECT_THAT(said(*peer, "grove.Counter k Gett\n"), StartsWith("12 "));
  EXPECT_EQ(front->connections(), 2U);
}

TEST_F(another_protocol, gets_many_at_once_and_halves) {
  const auto peer = connect_by_lines();
  EXPECT_EQ(said(*peer, "grove.Counter k Get\ngrove.Counter k Get\ngrove.Coun"), "0 \n0 \n");
  EXPECT_EQ(said(*peer, "ter k Get\n"), "0 \n");
}

TEST_F(another_protocol, ends_with_its_own_words) {
  const auto peer = connect_by_lines();
  EXPECT_EQ(said(*peer, "grove.Counter k Get\n"), "0 \n");
  EXPECT_EQ(said(*peer, "quit\ngrove.Counter k Get\n"), "0 bye\n");
  EXPECT_TRUE(peer->output_ended());
  advance(1s);
  EXPECT_TRUE(peer->closed());
  EXPECT_EQ(front->connections(), 0U);
}

TEST_F(another_protocol, has_the_time_outs_of_all_connections) {
  const auto silent = connect_by_lines();
  advance(bounds.first_frame_within);
  EXPECT_EQ(silent->take(), "4 no line\n");
  const auto slow = connect_by_lines();
  EXPECT_EQ(said(*slow, "grove.Counter k Get\ngrove"), "0 \n");
  advance(bounds.frame_within);
  EXPECT_EQ(slow->take(), "4 half a line\n");
}

TEST_F(another_protocol, has_the_limits_of_all_connections) {
  bounds.connections_max = 1;
  const auto first = connect_by_lines();
  const auto second = connect_by_lines();
  EXPECT_THAT(second->take(), StartsWith("8 worker 0 has as many connections"));
  bounds.output_buffer_bytes_max = 0;
  first->set_window(1);
  EXPECT_EQ(said(*first, "grove.Counter k Get\ngrove.Counter k Get\n"), "0");
  EXPECT_EQ(metrics[metric::requests].get(), 2U);
  std::string rest;
  for (std::string part = first->take(); !part.empty(); part = first->take()) {
    rest += part;
    run();
  }
  EXPECT_EQ(rest, " \n0 \n");
}

TEST_F(another_protocol, has_its_calls_cancelled_when_the_client_goes) {
  const auto peer = connect_by_lines();
  peer->send("grove.Topic k Subscribe\n");
  run();
  EXPECT_EQ(front->unfinished_calls(), 1U);
  peer->end_input();
  run();
  EXPECT_EQ(front->unfinished_calls(), 1U) << "it may still read";
  peer->hang_up();
  run();
  EXPECT_EQ(front->unfinished_calls(), 0U);
  EXPECT_EQ(front->connections(), 0U);
}

TEST_F(another_protocol, has_streams_that_a_drain_ends) {
  const auto peer = connect_by_lines();
  peer->send("grove.Topic k Subscribe\n");
  run();
  bool drained = false;
  front->drain(1s, [&] { drained = true; });
  run();
  EXPECT_EQ(peer->take(), "14 the server is draining\n");
  EXPECT_TRUE(drained);
  EXPECT_THAT(said(*peer, "grove.Counter k Get\n"), StartsWith("14 "));
}

}  // namespace
}  // namespace grove::test
