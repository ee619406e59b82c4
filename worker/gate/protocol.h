// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a connection speaks. A connection moves bytes and knows nothing of what they mean; a protocol makes requests of
// them, gives those to the intake, and makes bytes of what calls end with. Another one is another pair of these two classes
// and another entry in a worker's list of listeners.
//
// A protocol is itself where its calls report to, so an answer takes one virtual call on its way from its turn into the
// connection's buffer; and it takes all that has been read with one.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/byte_buffer.h"
#include "base/status.h"
#include "worker/actor/reply.h"

namespace grove {

class gate_connection;

/// What did not arrive in time. A unit is what a protocol takes at a time: a frame, a request.
enum class late_input : std::uint8_t {
  opening,       ///< What a client has to say first: limits.first-frame-within.
  rest_of_unit,  ///< What is missing of a unit that has begun: limits.frame-within.
};

/// One connection's protocol: the state of its conversation.
/// Affinity: the hub thread. None of its functions switches. Lifetime: its connection's, which owns it.
class protocol : public reply_sink {
 public:
  /// Takes units from the front of `in`, as long as the connection lets it (gate_connection::takes_another), and returns how
  /// many; the rest of an incomplete one stays. What is no unit at all ends the connection by a refusal.
  [[nodiscard]] virtual std::size_t take(byte_buffer& in) = 0;

  /// Says that nothing more is served, and why, and ends the connection with that (gate_connection::end_refused).
  virtual void refuse(status_code code, std::string_view text) = 0;
  virtual void refuse_late(late_input what, std::chrono::milliseconds within) = 0;

  /// Says that the server drains: the client should go elsewhere, what is unfinished has so long.
  virtual void announce_drain(std::chrono::milliseconds grace) = 0;

  /// Sends something that a client need not answer, if the protocol has such a thing: the system of one that has gone
  /// rejects it, and so its end is noticed.
  virtual void probe() = 0;
};

/// A protocol as a listener has it: makes what each of its connections needs.
/// Lifetime: outlives the gate.
class protocol_factory {
 public:
  protocol_factory() = default;
  protocol_factory(const protocol_factory&) = delete;
  protocol_factory& operator=(const protocol_factory&) = delete;
  virtual ~protocol_factory() = default;

  /// Lifetime: `connection` owns what is made and outlives it.
  [[nodiscard]] virtual std::unique_ptr<protocol> make(gate_connection& connection) = 0;

  /// Appends what `protocol::refuse` would say, for a socket that no connection can be made of.
  virtual void append_refusal(byte_buffer& out, status_code code, std::string_view text) const = 0;
};

}  // namespace grove
