// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "worker/greenlet/errors.h"

namespace grove {

class hub_task;

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

struct hub_options {
  std::size_t batch_max = 1024;                     ///< ready items of a priority, posted calls, timers run in one pass
  std::chrono::microseconds batch_for{5000};        ///< ... and how long at most, looked at every few items
  unsigned passes_without_io_max = 64;              ///< busy passes after which I/O is looked at in any case
  std::chrono::microseconds without_io_max{20};     ///< ... or after this time
  std::size_t completions_max = 256;                ///< completion handlers run in one pass
  std::chrono::microseconds completions_for{5000};  ///< ... and how long at most, a running one not cut short
  bool shares_thread = false;  ///< its thread has other hubs, too, and is this one's only within a hub_scope
};

/// What the hub does with something that was thrown.
enum class error_kind : std::uint8_t {
  ordinary,  ///< the error handler gets it
  ignored,
  system,  ///< run() ends and throws it
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

/// Is told of the tasks that a hub has.
class hub_task_observer {
 public:
  /// Called as the task is started. It must not wait.
  virtual void started(hub_task& task) noexcept = 0;

 protected:
  ~hub_task_observer() = default;
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
