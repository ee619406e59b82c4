// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/status.h"

namespace grove {

struct actor_cell;
struct message;

/// Is told what a worker is running, so that it is known when the worker dies of it, and counts it. Each
/// function takes a nanosecond or two. Affinity: the worker's hub thread.
class flight_recorder {
 public:
  flight_recorder() = default;
  flight_recorder(const flight_recorder&) = delete;
  flight_recorder& operator=(const flight_recorder&) = delete;
  virtual ~flight_recorder() = default;

  /// A turn begins, or goes on after it has waited.
  virtual void turn_begins(const actor_cell& cell, const message& call) = 0;
  /// The turn that was named last has ended and no other one follows it at once, or it waits; also before an actor does
  /// what is no turn, in its hooks.
  virtual void nothing_runs() = 0;
  virtual void turn_ended(bool failed) = 0;
  virtual void activated() = 0;
  virtual void passivated() = 0;
  virtual void mailbox_was_full() = 0;
  /// The time of a call was over before its turn began, or while its turn ran.
  virtual void deadline_expired() = 0;
  virtual void turn_expired() = 0;
  /// A tell does not run, and nobody waits to be told so.
  virtual void tell_lost(const message& tell, const status& why) = 0;
};

/// Records nothing.
class null_flight_recorder : public flight_recorder {
 public:
  void turn_begins(const actor_cell&, const message&) override {}
  void nothing_runs() override {}
  void turn_ended(bool) override {}
  void activated() override {}
  void passivated() override {}
  void mailbox_was_full() override {}
  void deadline_expired() override {}
  void turn_expired() override {}
  void tell_lost(const message&, const status&) override {}
};

}  // namespace grove
