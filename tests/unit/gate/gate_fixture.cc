// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/gate/gate_fixture.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

#include "base/byte_buffer.h"
#include "proto/wire/envelope.h"
#include "proto/wire/frame.h"
#include "worker/builtin/builtin.h"
#include "worker/gate/socket_stream.h"

namespace grove::test {

void gate_client::send_bytes(std::string_view bytes) {
  const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  EXPECT_EQ(sent, static_cast<ssize_t>(bytes.size()));
}

void gate_client::send(const v1::Envelope& envelope) {
  send_bytes(bytes_of_frame(envelope));
}

void gate_client::end_input() {
  EXPECT_EQ(::shutdown(socket_.get(), SHUT_WR), 0);
}

std::vector<v1::Envelope> gate_client::receive() {
  std::array<char, 64 * 1024> part{};
  for (;;) {
    const ssize_t size = ::recv(socket_.get(), part.data(), part.size(), MSG_DONTWAIT);
    if (size > 0) {
      received_.append(part.data(), static_cast<std::size_t>(size));
      continue;
    }
    closed_ = size == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
    break;
  }
  std::vector<v1::Envelope> frames;
  std::string_view rest = received_;
  for (;;) {
    const wire::frame_view frame = wire::first_frame(rest, received_.size());
    if (frame.state != wire::frame_state::complete) break;
    EXPECT_TRUE(frames.emplace_back().ParseFromArray(frame.envelope.data(), static_cast<int>(frame.envelope.size())));
    rest.remove_prefix(frame.consumed);
  }
  received_.erase(0, received_.size() - rest.size());
  return frames;
}

gate_test::gate_test() : gate_test{add_builtin_types} {}

gate_test::gate_test(void (*add_types)(actor_types&)) : actor_world{add_types} {
  front = std::make_unique<gate>(*actors, *this, metrics, bounds);
}

gate_test::~gate_test() {
  front.reset();
  run();
}

std::unique_ptr<gate_client> gate_test::connect(std::string_view already_read) {
  std::array<int, 2> ends{-1, -1};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  unique_fd server_end{ends[0]};
  std::error_code error;
  front->adopt(socket_stream::make(loop.io(), server_end, error), frames, already_read);
  EXPECT_FALSE(error) << error.message();
  run();
  return std::make_unique<gate_client>(unique_fd{ends[1]});
}

std::unique_ptr<gate_client> gate_test::greeted() {
  auto client = connect();
  const auto answers = exchange(*client, hello());
  EXPECT_TRUE(answers.size() == 1 && answers.front().has_welcome());
  return client;
}

std::vector<v1::Envelope> gate_test::exchange(gate_client& client, const v1::Envelope& envelope) {
  client.send(envelope);
  std::vector<v1::Envelope> all;
  // What does not fit into the socket's buffer leaves as the client makes room.
  do {
    run();
    for (auto& frame : client.receive())
      all.push_back(std::move(frame));
  } while (loop.poll());
  check_invariants();
  return all;
}

void gate_test::check_invariants() const {
  actor_world::check_invariants();
  if (front != nullptr) front->check_invariants();
}

v1::Response gate_test::response_to(gate_client& client, const v1::Envelope& request) {
  const auto answers = exchange(client, request);
  if (answers.size() != 1 || !answers.front().has_response()) {
    ADD_FAILURE() << "not one response but " << answers.size() << " frames";
    return {};
  }
  return answers.front().response();
}

v1::Envelope hello() {
  v1::Envelope envelope;
  envelope.mutable_hello()->set_version(1);
  return envelope;
}

v1::Envelope request_for(std::uint64_t id, std::string_view type, std::string_view key, std::string_view method,
                         const google::protobuf::MessageLite& payload) {
  v1::Envelope envelope;
  v1::Request& request = *envelope.mutable_request();
  request.set_id(id);
  request.set_type(std::string{type});
  request.set_key(std::string{key});
  request.set_method(std::string{method});
  request.set_payload(payload.SerializeAsString());
  return envelope;
}

v1::Envelope echo_of(std::uint64_t id, std::size_t text_bytes) {
  v1::EchoRequest echo;
  echo.set_text(std::string(text_bytes, 'e'));
  return request_for(id, "grove.Echo", "e" + std::to_string(id), "Echo", echo);
}

v1::Envelope sleep_of(std::uint64_t id, std::chrono::milliseconds time) {
  v1::EchoSleepRequest sleep;
  sleep.set_milliseconds(static_cast<std::uint32_t>(time.count()));
  return request_for(id, "grove.Echo", "s" + std::to_string(id), "Sleep", sleep);
}

std::string bytes_of_frame(const v1::Envelope& envelope) {
  byte_buffer frame;
  wire::append_frame(frame, envelope.SerializeAsString());
  return std::string{frame.view()};
}

}  // namespace grove::test
