// SPDX-License-Identifier: Apache-2.0
#include "worker/gate/gate.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <asio/ip/tcp.hpp>
#include <utility>

#include "base/byte_buffer.h"
#include "base/check.h"
#include "base/version.h"
#include "grove/v1/wire.pb.h"
#include "proto/wire/envelope.h"
#include "worker/gate/session.h"

namespace grove {
namespace {

[[nodiscard]] session& session_of(const message& call) noexcept {
  return *reinterpret_cast<session*>(static_cast<std::uintptr_t>(call.origin_session));
}

}  // namespace

gate::gate(runtime& actors, gate_surroundings& around, worker_metrics& metrics, const limits& its_limits)
    : actors_{actors}, around_{around}, metrics_{metrics}, limits_{its_limits} {
  actors_.on().attach(*this);
}

gate::~gate() {
  actors_.on().detach(*this);
  while (!sessions_.empty()) {
    const auto last = sessions_.begin()->second;
    last->close();
  }
}

void gate::adopt(unique_fd connected, std::string_view already_read) {
  const bool handed_over = !already_read.empty();
  metrics_[handed_over ? metric::handoffs_in : metric::connections_accepted].add();
  gate_socket socket{actors_.on().io()};
  std::error_code error;
  socket.assign(asio::ip::tcp::v4(), connected.get(), error);
  if (error) return turn_away(std::move(connected), "the connection cannot be watched: " + error.message());
  (void)connected.release();
  socket.non_blocking(true, error);
  if (error) return;
  // Answers are gathered here already, so that the kernel need not wait for more. On what is not TCP it has no effect.
  socket.set_option(asio::ip::tcp::no_delay{true}, error);
  // An acceptor stops before; what other workers hand over is not asked for.
  const bool one_too_many = sessions_.size() >= limits_.connections_max;
  const auto made = std::make_shared<session>(*this, std::move(socket), handed_over);
  sessions_.emplace(made.get(), made);
  metrics_[metric::connections].set(sessions_.size());
  if (one_too_many) {
    metrics_[metric::connections_refused].add();
    made->start_refused("worker " + std::to_string(around_.own_slot()) +
                        " has as many connections as limits.connections-max allows (" +
                        std::to_string(limits_.connections_max) + ")");
  } else {
    made->start(already_read);
  }
}

void gate::turn_away(unique_fd connected, std::string_view why) {
  metrics_[metric::connections_refused].add();
  byte_buffer refusal;
  wire::append_refusal(refusal, {.code = status_code::resource_exhausted, .message = why});
  // It fits into the empty buffer of any socket, and who has gone needs no reason.
  (void)::send(connected.get(), refusal.view().data(), refusal.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  ::shutdown(connected.get(), SHUT_WR);
  // Bytes that were not read would make the end a reset, which may overtake the refusal.
  std::array<char, 4096> said{};
  for (int parts = 0; parts < 16 && ::recv(connected.get(), said.data(), said.size(), MSG_DONTWAIT) > 0;)
    ++parts;
}

void gate::forget(session& s) {
  if (s.is_to_read()) std::erase(to_read_, &s);
  sessions_.erase(&s);
  metrics_[metric::connections].set(sessions_.size());
}

void gate::drain(std::chrono::milliseconds grace, std::function<void()> done) {
  draining_ = true;
  drained_ = std::move(done);
  for (const auto& [ignored, s] : sessions_)
    s->tell_drain(grace);
  ++unfinished_;
  call_ended();
}

bool gate::has_unsent() const noexcept {
  return std::ranges::any_of(sessions_, [](const auto& entry) { return entry.second->backlog_bytes() != 0; });
}

void gate::call_ended() {
  GROVE_CHECK(unfinished_ > 0, "more calls ended than began");
  --unfinished_;
  if (unfinished_ == 0 && drained_) std::exchange(drained_, nullptr)();
}

void gate::finish(message& call, const reply& end) {
  session_of(call).finish(call, end);
}

void gate::item(message& call, const payload_source& payload) {
  session_of(call).item(call, payload);
}

std::size_t gate::backlog_bytes(const message& call) const {
  return session_of(call).backlog_bytes();
}

void gate::mark_dirty(session& s) {
  if (s.dirty()) return;
  s.set_dirty(true);
  dirty_.push_back(s.shared_from_this());
}

void gate::read_later(session& s) {
  if (s.is_to_read()) return;
  s.set_to_read(true);
  to_read_.push_back(&s);
}

bool gate::poll() {
  const bool any_dirty = !dirty_.empty();
  std::swap(dirty_, flushing_);
  for (const auto& s : flushing_) {
    s->set_dirty(false);
    s->flush();
  }
  flushing_.clear();
  while (!to_read_.empty()) {
    session& s = *to_read_.back();
    to_read_.pop_back();
    s.set_to_read(false);
    s.read();
  }
  return any_dirty;
}

std::string gate::welcome_envelope(bool with_owners) const {
  v1::Envelope envelope;
  v1::Welcome& welcome = *envelope.mutable_welcome();
  welcome.set_version(1);
  welcome.set_features(v1::FEATURE_ROUTING);
  welcome.set_worker(around_.own_slot());
  welcome.set_workers(around_.workers());
  welcome.set_server(std::string{"grove "}.append(version));
  v1::Limits& announced = *welcome.mutable_limits();
  announced.set_frame_bytes(limits_.frame_bytes_max);
  announced.set_nesting(limits_.nesting_max);
  announced.set_key_bytes(limits_.key_bytes_max);
  announced.set_type_bytes(limits_.type_bytes_max);
  announced.set_method_bytes(limits_.method_bytes_max);
  announced.set_metadata_entries(limits_.metadata_entries_max);
  announced.set_unfinished_calls(limits_.unfinished_calls_max);
  announced.set_call_microseconds(static_cast<std::uint64_t>(std::chrono::microseconds{limits_.call_deadline}.count()));
  announced.set_call_microseconds_max(
      static_cast<std::uint64_t>(std::chrono::microseconds{limits_.call_deadline_max}.count()));
  if (with_owners) {
    for (std::uint32_t p = 0; p < around_.partitions(); ++p)
      welcome.add_owners(around_.owner_of_partition(p));
  }
  return envelope.SerializeAsString();
}

}  // namespace grove
