// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/client/fake_server.h"

#include <asio/buffer.hpp>
#include <asio/write.hpp>
#include <cstring>
#include <utility>

#include "grove/v1/wire.pb.h"
#include "proto/wire/frame.h"

namespace grove::test {

fake_server::fake_server(asio::io_context& io)
    : io_{io}, acceptor_{io, {asio::ip::address_v4::loopback(), port_.number()}} {
  address_.port = port_.number();
  on_hello = [](session& from, const wire::hello_view& hello) { from.welcome(hello.wanted_worker.value_or(0)); };
  on_request = [](session& from, const wire::request_view& request) { from.respond(request.id, request.payload); };
  accept();
}

fake_server::~fake_server() {
  for (const auto& each : sessions_)
    each->drop();
}

server_address fake_server::address() const {
  return address_;
}

void fake_server::stop_listening() {
  acceptor_.close();
}

void fake_server::accept() {
  acceptor_.async_accept([this](const asio::error_code& error, asio::ip::tcp::socket socket) {
    if (error) return;
    socket.set_option(asio::ip::tcp::no_delay{true});
    sessions_.push_back(std::make_shared<session>(*this, std::move(socket)));
    sessions_.back()->start();
    accept();
  });
}

void fake_server::session::welcome(std::uint32_t worker) {
  v1::Envelope envelope;
  v1::Welcome& welcome = *envelope.mutable_welcome();
  welcome.set_version(server_.version);
  welcome.set_worker(worker);
  welcome.set_workers(server_.workers);
  for (const std::uint32_t owner : server_.owners)
    welcome.add_owners(owner);
  welcome.set_server("fake 1");
  welcome.mutable_limits()->set_frame_bytes(1U << 20U);
  welcome.mutable_limits()->set_nesting(server_.nesting_max);
  welcome.mutable_limits()->set_key_bytes(256);
  welcome.mutable_limits()->set_unfinished_calls(server_.unfinished_calls_max);
  welcome.mutable_limits()->set_call_microseconds_max(600'000'000);
  wire::append_frame(out_, envelope.SerializeAsString());
  write();
}

void fake_server::session::respond(std::uint64_t id, std::string_view payload) {
  wire::response_view response;
  response.id = id;
  response.result = outcome::executed;
  char* place = wire::append_response(out_, response, payload.size());
  if (!payload.empty()) std::memcpy(place, payload.data(), payload.size());
  write();
}

void fake_server::session::fail(std::uint64_t id, status_code code, std::string_view message, outcome result) {
  wire::response_view response;
  response.id = id;
  response.code = code;
  response.message = message;
  response.result = result;
  static_cast<void>(wire::append_response(out_, response, 0));
  write();
}

void fake_server::session::item(std::uint64_t id, std::string_view payload) {
  char* place = wire::append_item(out_, id, payload.size());
  if (!payload.empty()) std::memcpy(place, payload.data(), payload.size());
  write();
}

void fake_server::session::ping(std::uint64_t nonce) {
  wire::append_ping(out_, nonce);
  write();
}

void fake_server::session::drain() {
  wire::append_drain(out_, 1'000'000);
  write();
}

void fake_server::session::refuse(status_code code, std::string_view message) {
  wire::append_refusal(out_, {code, message});
  drop_after_write_ = true;
  write();
}

void fake_server::session::raw(std::string_view bytes) {
  out_.append(bytes);
  write();
}

void fake_server::session::drop() {
  asio::error_code ignored;
  socket_.close(ignored);
  closed = true;
}

void fake_server::session::write() {
  if (write_under_way_ || out_.empty() || closed) return;
  write_under_way_ = true;
  std::swap(out_, writing_);
  const std::string_view bytes = writing_.view();
  asio::async_write(socket_, asio::buffer(bytes.data(), bytes.size()),
                    [self = shared_from_this()](const asio::error_code& error, std::size_t) {
                      self->writing_.clear();
                      self->write_under_way_ = false;
                      if (error) return;
                      if (self->drop_after_write_ && self->out_.empty()) self->drop();
                      self->write();
                    });
}

void fake_server::session::read() {
  constexpr std::size_t room = 65'536;
  socket_.async_read_some(asio::buffer(in_.prepare(room), room),
                          [self = shared_from_this()](const asio::error_code& error, std::size_t bytes) {
                            if (error || self->closed) {
                              self->closed = true;
                              return;
                            }
                            ++self->reads;
                            self->in_.commit(bytes);
                            for (;;) {
                              const auto frame = wire::first_frame(self->in_.view(), 16U << 20U);
                              if (frame.state != wire::frame_state::complete) break;
                              self->take(frame.envelope);
                              self->in_.consume(frame.consumed);
                            }
                            self->read();
                          });
}

void fake_server::session::take(std::string_view bytes) {
  wire::envelope_view envelope;
  if (!wire::decode_envelope(bytes, envelope)) return drop();
  switch (envelope.kind) {
    case wire::body_kind::hello:
      wanted_worker = envelope.hello.wanted_worker;
      server_.on_hello(*this, envelope.hello);
      break;
    case wire::body_kind::request:
      requests.push_back(envelope.request.id);
      server_.on_request(*this, envelope.request);
      break;
    case wire::body_kind::cancel:
      cancels.push_back(envelope.number);
      break;
    case wire::body_kind::ping:
      ++pings;
      if (answers_pings) {
        wire::append_pong(out_, envelope.number);
        write();
      }
      break;
    case wire::body_kind::pong:
      pongs.push_back(envelope.number);
      break;
    default:
      drop();
  }
}

}  // namespace grove::test
