// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "worker/greenlet/errors.h"

namespace grove {

/// A wait was tried in the hub's own context: in a callback, a timer, a completion handler or a component.
class blocking_in_hub : public greenlet_error {
 public:
  using greenlet_error::greenlet_error;
};

/// A loop ended, with nothing left to wait for, before what was asked of it had happened.
class loop_exit : public greenlet_error {
 public:
  using greenlet_error::greenlet_error;
};

/// How a join of the loop ended: all greenlets had finished; or some wait, and nothing is pending that could wake them;
/// or its time was over; or by stop().
enum class loop_end : std::uint8_t { finished, stuck, timed_out, stopped };

/// Something that the loop runs each pass: the actor runtime, the mesh.
class hub_component {
 public:
  /// Does a bounded amount of what there is to do; true if it did anything. It may resume greenlets whose parent is
  /// the hub's greenlet; it must not wait.
  virtual bool poll() = 0;
  /// Announces to whoever sends work that the thread sleeps from now on and must be poked. False: work has arrived.
  virtual bool prepare_sleep() = 0;
  /// The thread has woken (or did not go to sleep after all): undoes prepare_sleep(). Called only for components
  /// whose prepare_sleep() was called since.
  virtual void woke() = 0;

 protected:
  ~hub_component() = default;
};

/// Something that a hub has one of, made at its first use.
class hub_service {
 public:
  hub_service() = default;
  hub_service(const hub_service&) = delete;
  hub_service& operator=(const hub_service&) = delete;
  virtual ~hub_service() = default;
};

}  // namespace grove
