// SPDX-License-Identifier: Apache-2.0
#include "worker/gate/gate.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/byte_buffer.h"
#include "base/check.h"
#include "worker/gate/connection.h"
#include "worker/gate/protocol.h"
#include "worker/gate/socket_stream.h"
#include "worker/gate/topology.h"

namespace grove {

gate::gate(runtime& actors, topology& around, worker_metrics& metrics, const grove::limits& limits)
    : actors_{actors}, around_{around}, metrics_{metrics}, limits_{limits}, requests_{actors, metrics, limits} {
  actors_.on().attach(*this);
}

gate::~gate() {
  actors_.on().detach(*this);
  while (!connections_.empty()) {
    const auto last = connections_.begin()->second;
    last->close();
  }
}

void gate::adopt(std::unique_ptr<byte_stream> stream, protocol_factory& speaks, std::string_view already_read) {
  GROVE_DEBUG_CHECK(actors_.on().is_on_thread(), "a connection is adopted on another thread than the hub's");
  const auto origin = already_read.empty() ? connection_origin::accepted : connection_origin::passed;
  metrics_[origin == connection_origin::passed ? metric::handoffs_in : metric::connections_accepted].add();
  // An acceptor stops before; what other workers pass is not asked for.
  const bool one_too_many = connections_.size() >= limits_.connections_max;
  const auto made = std::make_shared<gate_connection>(*this, ++last_number_, std::move(stream), speaks, origin);
  connections_.emplace(made->number(), made);
  metrics_[metric::connections].set(connections_.size());
  if (one_too_many) {
    metrics_[metric::connections_refused].add();
    made->start_refused(status_code::resource_exhausted,
                        "worker " + std::to_string(around_.own_slot()) +
                            " has as many connections as limits.connections-max allows (" +
                            std::to_string(limits_.connections_max) + ")");
  } else {
    made->start(already_read);
  }
}

void gate::turn_away(unique_fd connected, const protocol_factory& speaks, std::string_view why) {
  metrics_[metric::connections_refused].add();
  byte_buffer refusal;
  speaks.append_refusal(refusal, status_code::resource_exhausted, why);
  send_and_close(std::move(connected), refusal.view());
}

void gate::forget(gate_connection& connection) {
  if (connection.is_to_read()) std::erase(to_read_, &connection);
  const std::size_t gone = connections_.erase(connection.number());
  GROVE_CHECK(gone == 1, "a connection ends twice, or is another gate's");
  metrics_[metric::connections].set(connections_.size());
}

void gate::drain(std::chrono::milliseconds grace, std::function<void()> done) {
  requests_.refuse_all();
  for (const auto& [ignored, connection] : connections_)
    connection->announce_drain(grace);
  calls_.when_none(std::move(done));
}

bool gate::has_unsent() const noexcept {
  return std::ranges::any_of(connections_, [](const auto& entry) { return entry.second->backlog_bytes() != 0; });
}

void gate::count_response(status_code code, outcome result) {
  if (code == status_code::ok) {
    metrics_[metric::responses_ok].add();
  } else {
    metrics_[result == outcome::executed       ? metric::errors_executed
             : result == outcome::not_executed ? metric::errors_not_executed
                                               : metric::errors_unknown]
        .add();
  }
}

void gate::mark_dirty(gate_connection& connection) {
  if (connection.dirty()) return;
  connection.set_dirty(true);
  dirty_.push_back(connection.shared_from_this());
}

void gate::read_later(gate_connection& connection) {
  if (connection.is_to_read()) return;
  connection.set_to_read(true);
  to_read_.push_back(&connection);
}

bool gate::poll() {
  const bool any_dirty = !dirty_.empty();
  std::swap(dirty_, flushing_);
  for (const auto& connection : flushing_) {
    connection->set_dirty(false);
    connection->flush();
  }
  flushing_.clear();
  while (!to_read_.empty()) {
    gate_connection& connection = *to_read_.back();
    to_read_.pop_back();
    connection.set_to_read(false);
    connection.read();
  }
  return any_dirty;
}

}  // namespace grove
