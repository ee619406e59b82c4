// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/simulated_client.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "base/byte_buffer.h"
#include "proto/wire/frame.h"

namespace grove::test {
namespace {

constexpr std::array<std::string_view, 7> keys{"ann", "bob", "cid", "dan", "eve", "slow-fay", "slow-gus"};
constexpr std::size_t calls_max = 12;

/// Identities of clients' connections; those of actors begin at 1.
constexpr std::uint64_t first_connection = std::uint64_t{1} << 40U;

}  // namespace

std::string simulated_client::draw_key() {
  return std::string{keys.at(draw(keys.size()))};
}

void simulated_client::step(bool calm) {
  if (peer_ == nullptr) {
    if (!calm) connect();
    return;
  }
  const std::uint32_t chosen = draw(100);
  if (calm || chosen < 35) return read();
  if (chosen < 65) return send_some();
  if (chosen < 92) return ask();
  if (chosen < 97) return cancel();
  if (chosen < 99) return;
  if (draw(3) > 0) return;
  if (draw(2) == 0) peer_->hang_up();
  lose_connection();
}

void simulated_client::connect() {
  peer_ = server_.connect();
  if (peer_ == nullptr) return;
  identity_ = first_connection + ++last_id_;
  numbers_ = 0;
  if (draw(4) == 0) peer_->set_window(1024);
  v1::Envelope hello;
  hello.mutable_hello()->set_version(1);
  append(hello);
}

void simulated_client::append(const v1::Envelope& envelope) {
  const std::string bytes = envelope.SerializeAsString();
  std::array<char, wire::frame_header_bytes> header{};
  wire::write_frame_header(header.data(), bytes.size());
  unsent_.append(header.data(), header.size()).append(bytes);
}

void simulated_client::send_some() {
  if (unsent_.empty()) return;
  const auto all = static_cast<std::uint32_t>(unsent_.size());
  const std::size_t some = draw(3) == 0 ? 1 + draw(all) : all;
  peer_->send(unsent_.substr(0, some));
  unsent_.erase(0, some);
}

void simulated_client::read() {
  if (!unsent_.empty() && draw(2) == 0) send_some();
  received_ += peer_->take();
  std::string_view rest = received_;
  for (;;) {
    const wire::frame_view frame = wire::first_frame(rest, received_.size());
    if (frame.state != wire::frame_state::complete) break;
    v1::Envelope envelope;
    if (!envelope.ParseFromArray(frame.envelope.data(), static_cast<int>(frame.envelope.size()))) {
      judge_.fail("a client gets a frame that is none");
      break;
    }
    rest.remove_prefix(frame.consumed);
    take(envelope);
  }
  received_.erase(0, received_.size() - rest.size());
  if (peer_->output_ended()) lose_connection();
}

/// What was under way may have run, and nobody will hear of it here.
void simulated_client::lose_connection() {
  if (!peer_->closed()) peer_->hang_up();
  cut_ += calls_.size();
  for (const auto& [ignored, each] : calls_) {
    if (drains_ && judge_.has_started(each.act))
      judge_.fail("request " + std::to_string(each.act) + " had begun, and a drain has cut it off");
  }
  calls_.clear();
  unsent_.clear();
  received_.clear();
  peer_.reset();
}

void simulated_client::take(const v1::Envelope& envelope) {
  if (envelope.has_response()) return take_response(envelope.response());
  if (envelope.has_item()) return take_item(envelope.item());
  if (envelope.has_ping()) {
    v1::Envelope pong;
    pong.mutable_pong()->set_nonce(envelope.ping().nonce());
    append(pong);
  }
}

void simulated_client::take_response(const v1::Response& response) {
  const auto found = calls_.find(response.id());
  if (found == calls_.end()) return judge_.fail("a client gets an answer that it does not wait for");
  const call asked = found->second;
  calls_.erase(found);
  ++answered_;
  const auto code = static_cast<status_code>(response.code());
  judge_.ended(asked.act, code, static_cast<outcome>(response.outcome()), asked.one_way);
  if (code != status_code::ok || asked.one_way || asked.streams) return;
  simulation::Done done;
  if (!done.ParseFromString(response.payload()) || done.id() != asked.act)
    return judge_.fail("a client gets the answer of another call");
  judge_.seen(done.key(), done.changes());
}

void simulated_client::take_item(const v1::Item& item) {
  const auto found = calls_.find(item.id());
  if (found == calls_.end()) return judge_.fail("a client gets an item of a stream that it has not");
  simulation::Done done;
  if (!done.ParseFromString(item.payload()) || done.id() != found->second.act)
    return judge_.fail("a client gets the item of another stream");
  if (done.item() <= found->second.items) judge_.fail("a stream's items come out of order");
  found->second.items = done.item();
  judge_.seen(done.key(), done.changes());
}

void simulated_client::ask() {
  if (calls_.size() >= calls_max) return;
  v1::Envelope envelope;
  v1::Request& request = *envelope.mutable_request();
  const std::uint32_t chosen = draw(10);
  const auto what = chosen < 2 ? oracle::kind::look : chosen < 3 ? oracle::kind::watch : oracle::kind::act;
  request.set_id(++last_request_);
  request.set_type("simulation.Member");
  request.set_key(draw_key());
  request.set_method(what == oracle::kind::look ? "Look" : what == oracle::kind::watch ? "Watch" : "Act");
  request.set_one_way(what == oracle::kind::act && draw(8) == 0);
  request.set_remaining_microseconds(draw(10) == 0 ? 1 + draw(3'000) : 200'000 + draw(800'000));
  simulation::ActRequest act;
  draw_act(act, what, request.key(), 0);
  if (what != oracle::kind::look) {
    act.mutable_from()->set_identity(identity_);
    act.mutable_from()->set_number(++numbers_);
  }
  request.set_payload(act.SerializeAsString());
  calls_[request.id()] = {.act = act.id(), .one_way = request.one_way(), .streams = what == oracle::kind::watch};
  ++asked_;
  append(envelope);
}

void simulated_client::cancel() {
  if (calls_.empty()) return;
  const auto at =
      std::next(calls_.begin(), static_cast<std::ptrdiff_t>(draw(static_cast<std::uint32_t>(calls_.size()))));
  v1::Envelope envelope;
  envelope.mutable_cancel()->set_id(at->first);
  append(envelope);
}

void simulated_client::draw_act(simulation::ActRequest& into, oracle::kind what, std::string_view to, int depth) {
  into.set_id(++last_id_);
  judge_.planned(into.id(), what, to);
  if (draw(12) == 0) into.set_ballast(std::string(draw(8'000), 'b'));
  const std::uint32_t steps = draw(4);
  for (std::uint32_t i = 0; i < steps; ++i)
    draw_step(*into.add_steps(), depth);
}

void simulated_client::draw_step(simulation::Step& into, int depth) {
  const std::uint32_t chosen = draw(depth < 3 ? 100 : 55);
  if (chosen < 10) return into.set_sleep_us(draw(4'000));
  if (chosen < 40) return into.set_change(true);
  if (chosen < 44) return into.set_fail(true);
  if (chosen < 55) return into.set_emit(1 + draw(4));
  into.set_to(draw_key());
  into.set_forgives(draw(2) == 0);
  if (chosen < 70) return draw_act(*into.mutable_call(), oracle::kind::act, into.to(), depth + 1);
  if (chosen < 78) return draw_act(*into.mutable_look(), oracle::kind::look, into.to(), depth + 1);
  draw_act(*into.mutable_tell(), oracle::kind::tell, into.to(), depth + 1);
}

}  // namespace grove::test
