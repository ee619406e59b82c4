// SPDX-License-Identifier: Apache-2.0
#include "tests/support/wire_client.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "grove/v1/builtin.pb.h"

namespace grove::test {
namespace {

constexpr time_t seconds_per_operation = 60;

}  // namespace

wire_client::wire_client(const std::string& address) : socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
  const std::size_t colon = address.rfind(':');
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
  ::inet_pton(AF_INET, address.substr(0, colon).c_str(), &to.sin_addr);
  const timeval limit{.tv_sec = seconds_per_operation, .tv_usec = 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
    throw std::system_error{errno, std::generic_category(), "connecting to " + address};
  }
}

void wire_client::shrink_receive_buffer() {
  const int bytes = 64 * 1024;
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

void wire_client::send_bytes(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) throw std::system_error{errno, std::generic_category(), "send"};
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void wire_client::send(const v1::Envelope& envelope) {
  send_bytes(frame_of(envelope));
}

v1::Welcome wire_client::greet(std::optional<std::uint32_t> wanted_worker) {
  v1::Envelope hello;
  hello.mutable_hello()->set_version(1);
  hello.mutable_hello()->set_features(v1::FEATURE_ROUTING);
  hello.mutable_hello()->set_client("test");
  if (wanted_worker) hello.mutable_hello()->set_wanted_worker(*wanted_worker);
  send(hello);
  const auto answer = receive();
  if (!answer || !answer->has_welcome()) {
    throw std::runtime_error{"no Welcome: " + (answer ? answer->ShortDebugString() : "the connection was closed")};
  }
  return answer->welcome();
}

std::string wire_client::receive_exactly(std::size_t bytes) {
  std::string received(bytes, '\0');
  std::size_t have = 0;
  while (have < bytes) {
    const ssize_t size = ::recv(socket_.get(), received.data() + have, bytes - have, 0);
    if (size < 0 && errno != ECONNRESET) throw std::system_error{errno, std::generic_category(), "recv"};
    if (size <= 0) return {};
    have += static_cast<std::size_t>(size);
  }
  return received;
}

std::optional<v1::Envelope> wire_client::receive() {
  const std::string header = receive_exactly(4);
  if (header.empty()) return std::nullopt;
  std::size_t length = 0;
  for (const char c : header)
    length = length << 8U | static_cast<unsigned char>(c);
  v1::Envelope envelope;
  if (!envelope.ParseFromString(receive_exactly(length))) throw std::runtime_error{"a frame that is no Envelope"};
  return envelope;
}

v1::Envelope wire_client::next() {
  auto frame = receive();
  if (!frame) throw std::runtime_error{"the server closed the connection where a frame was expected"};
  return *std::move(frame);
}

std::string wire_client::receive_until_closed() {
  std::string all;
  std::array<char, 4096> part{};
  for (;;) {
    const ssize_t size = ::recv(socket_.get(), part.data(), part.size(), 0);
    if (size <= 0) return all;
    all.append(part.data(), static_cast<std::size_t>(size));
  }
}

v1::Response wire_client::call(std::string_view type, std::string_view key, std::string_view method,
                               std::string_view payload) {
  const std::uint64_t id = next_id_++;
  send(request_envelope(id, type, key, method, payload));
  for (;;) {
    const v1::Envelope answer = next();
    if (answer.has_response() && answer.response().id() == id) return answer.response();
  }
}

void send_spins(wire_client& client, const std::string& key, std::uint64_t count) {
  v1::EchoSpinRequest spin;
  spin.set_microseconds(1'000'000);
  v1::Envelope envelope;
  v1::Request& request = *envelope.mutable_request();
  request.set_type("grove.Echo");
  request.set_key(key);
  request.set_method("Spin");
  request.set_payload(spin.SerializeAsString());
  for (std::uint64_t id = 1; id <= count; ++id) {
    request.set_id(id);
    client.send(envelope);
  }
}

v1::Envelope request_envelope(std::uint64_t id, std::string_view type, std::string_view key, std::string_view method,
                              std::string_view payload) {
  v1::Envelope made;
  v1::Request& request = *made.mutable_request();
  request.set_id(id);
  request.set_type(std::string{type});
  request.set_key(std::string{key});
  request.set_method(std::string{method});
  request.set_payload(std::string{payload});
  return made;
}

std::string frame_of(const v1::Envelope& envelope) {
  const std::string bytes = envelope.SerializeAsString();
  std::string frame;
  for (int shift = 24; shift >= 0; shift -= 8)
    frame.push_back(static_cast<char>(bytes.size() >> shift));
  return frame + bytes;
}

}  // namespace grove::test
