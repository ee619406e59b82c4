// SPDX-License-Identifier: Apache-2.0

// What holds between two passes of the loop, looked at as a whole: for tests and simulations, after each of their steps.

#include <algorithm>

#include "base/check.h"
#include "worker/gate/call_table.h"
#include "worker/gate/connection.h"
#include "worker/gate/gate.h"

namespace grove {

void call_table::check_invariants() const {
  std::size_t found = 0;
  const message* previous = nullptr;
  for (const message* call = first_; call != nullptr; previous = call, call = call->next_call) {
    GROVE_CHECK(++found <= size_, "more calls are listed than unfinished, or their list has a circle");
    GROVE_CHECK(call->previous_call == previous, "the list of unfinished calls is torn");
    GROVE_CHECK(call->origin != nullptr, "a call is in a table and would be answered to nobody");
    GROVE_CHECK(call->origin_session == connection_, "a call is in the table of another connection");
    GROVE_CHECK(call->state != message_state::answered, "a call is unfinished and has been answered");
  }
  GROVE_CHECK(found == size_, "fewer calls are listed than unfinished");
}

std::size_t gate_connection::check_invariants() const {
  calls_.check_invariants();
  GROVE_CHECK(phase_ != phase::closed, "a connection that has ended is still among the others");
  GROVE_CHECK(!handling_, "input is being handled between passes");
  GROVE_CHECK(write_under_way_ == !writing_.empty(),
              "bytes are left of a write, and none is under way, or the reverse");
  GROVE_CHECK(out_.empty() || dirty_ || write_under_way_, "answers wait to be written, and nothing will write them");
  GROVE_CHECK(armed() == (time_out_ != time_out::none), "a connection's timer runs for nothing, or does not run");
  GROVE_CHECK(phase_ != phase::refused || time_out_ == time_out::lingering, "a refused connection may linger for ever");
  GROVE_CHECK(phase_ != phase::refused || in_.empty(), "input is kept of a refused connection");
  return calls_.size();
}

void gate::check_invariants() const {
  GROVE_CHECK(actors_.on().is_on_thread(), "a gate is looked at from another thread than its hub's");
  std::size_t unfinished = 0;
  for (const auto& [number, connection] : connections_) {
    GROVE_CHECK(connection->number() == number && number <= last_number_, "a connection is kept under another number");
    unfinished += connection->check_invariants();
    const auto is_it = [wanted = connection.get()](const auto& listed) { return &*listed == wanted; };
    GROVE_CHECK(std::ranges::count_if(dirty_, is_it) == (connection->dirty() ? 1 : 0),
                "a connection with something to send is not in the list of those, or is twice");
    GROVE_CHECK(std::ranges::count_if(to_read_, is_it) == (connection->is_to_read() ? 1 : 0),
                "a connection that is to be read is not in the list of those, or is twice");
  }
  GROVE_CHECK(unfinished == calls_.unfinished(), "the calls of all connections are not as many as were counted");
  GROVE_CHECK(flushing_.empty(), "connections are being written between passes");
  for (const gate_connection* listed : to_read_) {
    GROVE_CHECK(std::ranges::any_of(connections_, [listed](const auto& entry) { return entry.second.get() == listed; }),
                "a connection that has gone is to be read");
  }
  for (const auto& listed : dirty_)
    GROVE_CHECK(listed->dirty(), "a connection is in the list of those with something to send, and does not know");
  GROVE_CHECK(metrics_[metric::connections].get() == connections_.size(),
              "the metric of connections says another number");
}

}  // namespace grove
