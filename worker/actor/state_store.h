// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/message.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace grove {

/// A position in what a store has taken over. Tickets grow; what depends on one may leave the worker when it is durable.
using ticket = std::uint64_t;

/// What a turn has changed, as one batch. Lifetime: borrowed for the call.
struct state_change {
  std::string_view type;
  std::string_view key;
  const google::protobuf::Message& state;  ///< As it is after the turn.
};

/// What a store tells its runtime, on the hub's thread, in the hub's context or in a greenlet, and never inside of one of
/// the store's own functions.
class store_listener {
 public:
  store_listener() = default;
  store_listener(const store_listener&) = delete;
  store_listener& operator=(const store_listener&) = delete;
  virtual ~store_listener() = default;

  /// All tickets up to this one are durable.
  virtual void durable(ticket up_to) = 0;
};

/// Where the state of actors is while they are not active, and where a turn's changes are made durable. `worker/store` has
/// the implementations. The contract, which tests/support/delayed_store.h stretches as far as it goes:
/// - `append` takes a change over and gives it a ticket, greater than all that were given before. The change is in no
///   other one's result yet: a turn has then ended, and what it does is held back until its ticket is durable;
/// - when `append` throws, nothing of that change is or will be durable: its turn fails and is undone, and the worker
///   goes on;
/// - tickets become durable in their order, so that `durable` is one number. What becomes durable is told to the listener;
/// - a change that was taken over and cannot be made durable ends the process (the store sees to that): nothing that
///   depends on it has left;
/// - `load` gives what was appended last for an address, durable or not: an actor that is activated again sees its own
///   changes, and its first turn waits behind their ticket;
/// - a store for which everything is durable at once (its actors' memory is the store) gives ticket 0.
/// Affinity: the worker's hub thread.
class state_store {
 public:
  state_store() = default;
  state_store(const state_store&) = delete;
  state_store& operator=(const state_store&) = delete;
  virtual ~state_store() = default;

  /// The encoded state of this address; false: there is none.
  /// Switches: it may. Errors: status_error.
  [[nodiscard]] virtual bool load(std::string_view type, std::string_view key, std::string& into) = 0;

  /// Switches: no. Errors: status_error, and what an allocation throws.
  [[nodiscard]] virtual ticket append(const state_change& change) = 0;

  /// The actor leaves memory with this state, all of which was appended before, and is durable. For stores that take no
  /// copy at `append`; the default does nothing.
  /// Switches: it may. Errors: what it throws is reported, and the actor stays.
  virtual void passivated(const state_change& last) { static_cast<void>(last); }

  /// The greatest ticket that is durable, and all before it.
  [[nodiscard]] virtual ticket durable() const noexcept = 0;

  /// Lifetime: borrowed, until another one or null takes its place.
  virtual void set_listener(store_listener* listener) noexcept = 0;
};

}  // namespace grove
