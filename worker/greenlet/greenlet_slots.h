// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <exception>

#include "worker/greenlet/greenlet_locals.h"

namespace grove {

/// What the layers above keep in a flow: in the one that a greenlet begins with, or in the body of a continulet, which
/// may go on in another greenlet.
struct flow_slots {
  void* bounds = nullptr;      ///< the hub: innermost of the time limits on waits
  unsigned uninterrupted = 0;  ///< the hub: uninterrupted scopes
};

/// What the layers above keep in a greenlet, so that they need no map keyed by it. Each member belongs to one layer;
/// the greenlet only carries them.
struct greenlet_slots {
  void* turn = nullptr;    ///< the actor runtime: the turn that runs here
  void* task = nullptr;    ///< the hub: the spawned task
  void* waiter = nullptr;  ///< the hub: what the greenlet waits in
  flow_slots first_flow{};
  std::exception_ptr pending{};  ///< the hub: what the next wait throws
  const void* pending_source = nullptr;
  greenlet_locals locals{};       ///< the hub: what local<T> keeps here
  unsigned stalls_ignored = 0;    ///< the hub: ignore_stalls scopes
  bool in_line = false;           ///< the hub: it has given way and is ready
  bool turn_listens = false;      ///< the actor runtime: the turn is a wait_listener, for the hub to tell of waits
  std::uint8_t initialisers = 0;  ///< of static variables, that it is in
  bool kill_deferred = false;     ///< the hub: more kills of the task wait until nothing is pending
};

}  // namespace grove
