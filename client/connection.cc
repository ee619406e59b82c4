// SPDX-License-Identifier: Apache-2.0
#include "client/connection.h"

#include <algorithm>
#include <asio/buffer.hpp>
#include <asio/post.hpp>
#include <asio/write.hpp>
#include <utility>

#include "base/check.h"
#include "base/limit_text.h"
#include "grove/v1/wire.pb.h"
#include "proto/wire/frame.h"

namespace grove {
namespace {

constexpr std::size_t read_bytes = 64U * 1024;

[[nodiscard]] std::string in_milliseconds(std::chrono::milliseconds time) {
  return std::to_string(time.count()) + " ms";
}

}  // namespace

connection::connection(asio::io_context& io, const clock& time, std::shared_ptr<dialer> ways,
                       connection_options options, listener& who)
    : io_{io},
      time_{time},
      options_{std::move(options)},
      listener_{&who},
      ways_{std::move(ways)},
      socket_{io.get_executor()},
      timer_{io.get_executor()} {}

connection::~connection() = default;

void connection::open(const server_address& address, std::optional<std::uint32_t> wanted_worker) {
  GROVE_CHECK(state_ == state::connecting && dialing_ == nullptr, "a connection is opened twice");
  address_ = address;
  wanted_worker_ = wanted_worker;
  arm_timer(options_.connect_timeout);
  // The timer keeps this alive meanwhile.
  dialing_ = ways_->dial(address, [held = weak_from_this()](const status& what, client_io::tcp_socket* socket) {
    const auto self = held.lock();
    if (!self || self->state_ == state::closed) return;
    self->dialing_ = nullptr;
    if (what.ok()) {
      self->connected(std::move(*socket));
    } else {
      self->fail(what);
    }
  });
}

void connection::connected(client_io::tcp_socket&& socket) {
  socket_ = std::move(socket);
  state_ = state::greeting;
  asio::error_code ignored;
  peer_ = socket_.remote_endpoint(ignored);
  socket_.set_option(asio::ip::tcp::no_delay{true}, ignored);
  wire::hello_view hello;
  hello.version = wire::protocol_version;
  hello.features = wire::feature_routing;
  hello.wanted_worker = wanted_worker_;
  hello.client = options_.client_name;
  wire::append_hello(out_[filling_], hello);
  flush();
  read();
}

void connection::read() {
  const wire::frame_view partial = wire::first_frame(in_.view(), info_.frame_bytes_max);
  const std::size_t missing = partial.length == 0 ? 0 : partial.length + wire::frame_header_bytes - in_.size();
  const std::size_t room = std::max(missing, read_bytes / 4);
  if (in_.capacity() == 0) in_.reserve(read_bytes);
  socket_.async_read_some(
      asio::buffer(in_.prepare(room), room),
      [self = shared_from_this()](const asio::error_code& error, std::size_t bytes) { self->on_read(error, bytes); });
}

void connection::on_read(const asio::error_code& error, std::size_t bytes) {
  if (state_ == state::closed) return;
  if (error) {
    const std::string what = error == asio::error::eof ? "the server closed the connection" : error.message();
    fail({status_code::unavailable, "connection to " + address_.to_string() + " lost: " + what});
    return;
  }
  in_.commit(bytes);
  last_heard_ = time_.now();
  pinged_ = false;
  if (!take_frames()) return;
  if (close_when_idle_ && idle()) {
    close({status_code::unavailable, "the connection was not needed any more"});
    return;
  }
  send_waiting();
  read();
}

bool connection::take_frames() {
  for (;;) {
    const wire::frame_view frame = wire::first_frame(in_.view(), info_.frame_bytes_max);
    switch (frame.state) {
      case wire::frame_state::incomplete:
        return true;
      case wire::frame_state::empty:
        return broken("a frame of length 0");
      case wire::frame_state::too_large:
        return broken("a frame of " + std::to_string(frame.length) + " bytes, more than its own limit frame_bytes");
      case wire::frame_state::complete:
        break;
    }
    if (!take(frame.envelope)) return false;
    in_.consume(frame.consumed);
  }
}

bool connection::broken(std::string_view what) {
  std::string message = "the server at " + address_.to_string() + " broke the protocol: it sent ";
  fail({status_code::unavailable, message.append(what)});
  return false;
}

bool connection::take(std::string_view bytes) {
  if (!wire::decode_envelope(bytes, envelope_)) return broken("a frame that is no envelope");
  const bool greeted = state_ == state::ready || state_ == state::draining;
  switch (envelope_.kind) {
    case wire::body_kind::refusal:
      refused_ = true;
      fail({envelope_.refusal.code,
            "the server at " + address_.to_string() + " refused: " + std::string{envelope_.refusal.message}});
      return false;
    case wire::body_kind::ping:
      wire::append_pong(out_[filling_], envelope_.number);
      flush_soon();
      return true;
    case wire::body_kind::welcome:
      return greeted ? broken("a second Welcome") : take_welcome(bytes);
    case wire::body_kind::response:
      return greeted ? take_response(envelope_.response) : broken("a Response before its Welcome");
    case wire::body_kind::item:
      return greeted ? take_item(envelope_.item) : broken("an Item before its Welcome");
    case wire::body_kind::drain:
      if (state_ == state::ready) {
        state_ = state::draining;
        listener_->on_drain(*this);
      }
      return state_ != state::closed;
    case wire::body_kind::pong:
      return true;
    case wire::body_kind::none:
      return greeted || broken("a frame that this client does not know before its Welcome");
    case wire::body_kind::hello:
    case wire::body_kind::request:
    case wire::body_kind::cancel:
      break;
  }
  return broken("a frame that only clients send");
}

bool connection::take_welcome(std::string_view envelope) {
  v1::Envelope parsed;
  if (!parsed.ParseFromArray(envelope.data(), static_cast<int>(envelope.size()))) return broken("a damaged Welcome");
  const v1::Welcome& welcome = parsed.welcome();
  if (welcome.version() != wire::protocol_version) {
    return broken("a Welcome of version " + std::to_string(welcome.version()) + ", and this client speaks version 1");
  }
  info_.worker = welcome.worker();
  info_.workers = std::max(1U, welcome.workers());
  info_.owners.assign(welcome.owners().begin(), welcome.owners().end());
  if (info_.worker >= info_.workers) return broken("a Welcome of a worker that does not exist");
  for (const std::uint32_t owner : info_.owners) {
    if (owner >= info_.workers) return broken("a Welcome that names a worker that does not exist");
  }
  info_.server = welcome.server();
  const v1::Limits& given = welcome.limits();
  if (given.frame_bytes() != 0) info_.frame_bytes_max = given.frame_bytes();
  if (given.nesting() != 0) info_.nesting_max = given.nesting();
  if (given.key_bytes() != 0) info_.key_bytes_max = given.key_bytes();
  if (given.unfinished_calls() != 0) info_.unfinished_calls_max = given.unfinished_calls();
  info_.call_time_max = std::chrono::microseconds{given.call_microseconds_max()};
  state_ = state::ready;
  ready_since_ = last_heard_;
  ways_->worked(address_, peer_);
  arm_timer(options_.ping_after);
  listener_->on_ready(*this);
  return state_ != state::closed;
}

connection::slot* connection::slot_of(std::uint64_t id) noexcept {
  if (id == 0 || id > slots_.size()) return nullptr;
  slot& found = slots_[static_cast<std::size_t>(id - 1)];
  return found.used ? &found : nullptr;
}

bool connection::take_response(const wire::response_view& response) {
  slot* place = slot_of(response.id);
  if (place == nullptr) return broken("a Response to a call that is not under way");
  outgoing_call* call = std::exchange(place->call, nullptr);
  place->used = false;
  free_slots_.push_back(static_cast<std::uint32_t>(response.id - 1));
  if (call != nullptr) {
    call->connection_ = nullptr;
    call->on_end({response.code, response.message, response.result, response.payload});
  }
  return state_ != state::closed;
}

bool connection::take_item(const wire::item_view& item) {
  slot* place = slot_of(item.id);
  if (place == nullptr) return broken("an Item of a call that is not under way");
  if (place->call != nullptr) place->call->on_item(item.payload);
  return state_ != state::closed;
}

void connection::start(outgoing_call& call) {
  GROVE_CHECK(state_ == state::ready, "a call is started on a connection that is not ready");
  GROVE_CHECK(call.list_ == nullptr && call.connection_ == nullptr, "a call is started twice");
  if (refuses(call, request_of(call, 1))) return;
  if (in_flight() < info_.unfinished_calls_max && waiting_.empty()) {
    send_request(call);
  } else {
    waiting_.push(call);
    call.connection_ = this;
  }
}

std::chrono::microseconds connection::time_left(const outgoing_call& call) const {
  if (call.deadline == steady_time::max()) return std::chrono::microseconds{0};
  const auto left = std::chrono::ceil<std::chrono::microseconds>(call.deadline - time_.now());
  return std::max(left, std::chrono::microseconds{1});
}

wire::request_view connection::request_of(const outgoing_call& call, std::uint64_t id) const {
  wire::request_view request;
  request.id = id;
  request.type = call.type;
  request.key = call.key;
  request.method = call.method;
  request.payload = call.payload;
  request.remaining_microseconds = static_cast<std::uint64_t>(time_left(call).count());
  if (const auto most = static_cast<std::uint64_t>(info_.call_time_max.count());
      most != 0 && !call.time_is_asked_for && !call.streams) {
    request.remaining_microseconds = std::min(request.remaining_microseconds, most);
  }
  request.idempotency_key = call.idempotency_key;
  request.metadata = call.metadata;
  request.one_way = call.one_way;
  return request;
}

bool connection::refuses(outgoing_call& call, const wire::request_view& request) {
  if (call.deadline <= time_.now()) {
    call.connection_ = nullptr;
    call.on_end({status_code::deadline_exceeded, "the call could not be sent in its time", outcome::not_executed, {}});
    return true;
  }
  std::string why;
  const std::chrono::microseconds most = info_.call_time_max;
  if (const std::size_t bytes = wire::envelope_bytes(request); bytes > info_.frame_bytes_max) {
    why = over_limit_text("the request", bytes, "frame_bytes", info_.frame_bytes_max);
  } else if (most.count() != 0 && !call.streams &&
             request.remaining_microseconds > static_cast<std::uint64_t>(most.count())) {
    // A few of its microseconds have passed since the caller asked.
    why = over_time_limit_text(
        std::chrono::ceil<std::chrono::milliseconds>(std::chrono::microseconds{request.remaining_microseconds}), most);
  }
  if (why.empty()) return false;
  call.connection_ = nullptr;
  call.on_end({status_code::invalid_argument, why, outcome::not_executed, {}});
  return true;
}

void connection::send_waiting() {
  while (state_ == state::ready && !waiting_.empty() && in_flight() < info_.unfinished_calls_max) {
    send_request(*waiting_.pop());
  }
}

void connection::send_request(outgoing_call& call) {
  const std::uint64_t id = free_slots_.empty() ? slots_.size() + 1 : free_slots_.back() + std::uint64_t{1};
  const wire::request_view request = request_of(call, id);
  // The id has more bytes the more calls are under way.
  if (refuses(call, request)) return;
  if (free_slots_.empty()) {
    slots_.emplace_back();
  } else {
    free_slots_.pop_back();
  }
  const auto place = static_cast<std::uint32_t>(id - 1);
  GROVE_CHECK(!slots_[place].used, "a call gets the id of another one");
  slots_[place] = {&call, true};
  byte_buffer& out = out_[filling_];
  const std::size_t before = out.size();
  wire::append_request(out, request);
  queued_bytes_ += out.size() - before;
  call.connection_ = this;
  call.slot_ = place;
  call.frame_end_ = queued_bytes_;
  flush_soon();
}

outcome connection::withdraw(outgoing_call& call) {
  GROVE_CHECK(call.connection_ == this, "a call is withdrawn from another connection than its own");
  call.connection_ = nullptr;
  if (call.list_ != nullptr) {
    call.list_->remove(call);
    return outcome::not_executed;
  }
  GROVE_CHECK(call.slot_ < slots_.size() && slots_[call.slot_].call == &call, "a call is withdrawn that has no place");
  slots_[call.slot_].call = nullptr;
  if (state_ != state::closed) {
    wire::append_cancel(out_[filling_], call.slot_ + std::uint64_t{1});
    flush_soon();
  }
  return outcome::unknown;
}

void connection::flush_soon() {
  if (writing_ || flush_posted_ || state_ == state::closed) return;
  flush_posted_ = true;
  asio::post(io_, [self = shared_from_this()] {
    self->flush_posted_ = false;
    self->flush();
  });
}

void connection::flush() {
  if (writing_ || out_[filling_].empty() || state_ == state::closed) return;
  writing_ = true;
  GROVE_DEBUG_CHECK(handed_bytes_ <= queued_bytes_, "more of the requests has left than there was");
  handed_bytes_ = queued_bytes_;
  const std::string_view bytes = out_[filling_].view();
  filling_ ^= 1U;
  asio::async_write(socket_, asio::buffer(bytes.data(), bytes.size()),
                    [self = shared_from_this()](const asio::error_code& error, std::size_t) {
                      byte_buffer& written = self->out_[self->filling_ ^ 1U];
                      written.clear();
                      written.shrink(read_bytes);
                      self->writing_ = false;
                      // The reader meets the same error, after what the server said before.
                      if (!error) self->flush();
                    });
}

void connection::arm_timer(time_span after) {
  timer_.expires_after(after.length());
  timer_.async_wait([self = shared_from_this()](const asio::error_code& error) {
    if (!error && self->state_ != state::closed) self->on_timer();
  });
}

void connection::on_timer() {
  if (state_ == state::connecting || state_ == state::greeting) {
    std::string what = dialing_ ? dialer::give_up(*std::exchange(dialing_, nullptr))
                                : "no answer to the hello from " + address_.to_string();
    fail({status_code::unavailable, what.append(" within ").append(in_milliseconds(options_.connect_timeout))});
    return;
  }
  const steady_duration silent = time_.now() - last_heard_;
  if (pinged_) {
    fail({status_code::unavailable, "connection to " + address_.to_string() + " lost: no answer to a ping within " +
                                        in_milliseconds(options_.ping_timeout)});
  } else if (silent >= options_.ping_after) {
    pinged_ = true;
    wire::append_ping(out_[filling_], 1);
    flush_soon();
    arm_timer(options_.ping_timeout);
  } else {
    arm_timer(options_.ping_after - silent);
  }
}

void connection::fail(const status& why) {
  if (state_ == state::closed) return;
  const auto self = shared_from_this();
  listener* who = listener_;
  if (state_ == state::greeting) ways_->failed(address_, peer_);
  // The listener must find this connection closed, and the calls end after it knows.
  state_ = state::closed;
  who->on_closed(*this, why);
  end_calls(why);
}

void connection::close(const status& why) {
  if (state_ == state::closed) return;
  const auto self = shared_from_this();
  state_ = state::closed;
  end_calls(why);
}

void connection::close_when_idle() {
  close_when_idle_ = true;
  if (idle()) {
    asio::post(io_, [self = shared_from_this()] {
      if (self->idle()) self->close({status_code::unavailable, "the connection was not needed any more"});
    });
  }
}

void connection::end_calls(const status& why) {
  asio::error_code ignored;
  if (dialing_) (void)dialer::give_up(*std::exchange(dialing_, nullptr));
  timer_.cancel();
  socket_.close(ignored);
  // A refusal's code is the connection's; to a call it means only that the connection is gone.
  const status_code code = why.code() == status_code::cancelled ? status_code::cancelled : status_code::unavailable;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    outgoing_call* call = std::exchange(slots_[i].call, nullptr);
    if (call == nullptr) continue;
    call->connection_ = nullptr;
    const bool sent = call->frame_end_ <= handed_bytes_;
    call->on_end({code, why.message(), sent ? outcome::unknown : outcome::not_executed, {}});
  }
  while (outgoing_call* call = waiting_.pop()) {
    call->connection_ = nullptr;
    call->on_end({code, why.message(), outcome::not_executed, {}});
  }
}

}  // namespace grove
