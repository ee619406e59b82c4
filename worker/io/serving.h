// SPDX-License-Identifier: Apache-2.0
#pragma once

// What stream_server and datagram_server have in common: a greenlet that turns arrivals into handlers, each in
// a greenlet of its own. After gevent's BaseServer.
//
// - At most `handlers_max` handlers at once: beyond that nothing is taken, until a handler ends. What waits meanwhile
//   is the kernel's, with the kernel's limits.
// - Errors of taking are reported and answered with pauses of 10 ms, 20 ms, ... 1 s until one succeeds. A descriptor that
//   can never succeed again ends the server.
// - What a handler throws is reported, and touches no other handler.

#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/fd.h"
#include "worker/hub/hub.h"
#include "worker/hub/waiter.h"
#include "worker/tasks/semaphore.h"
#include "worker/tasks/task.h"

namespace grove {

inline constexpr std::chrono::milliseconds serving_pause_min{10};
inline constexpr std::chrono::seconds serving_pause_max{1};
/// How long stop() waits for the handlers that it has killed.
inline constexpr std::chrono::seconds serving_kill_time{1};

namespace io::detail {

struct serving_options {
  std::string name;               ///< for reports
  std::size_t handlers_max;       ///< at least 1
  std::size_t taken_at_once_max;  ///< before others run
  stack_class stack = stack_class::small;
  bool handlers_use_fd = false;  ///< it is closed when the last handler has ended, not before
};

class serving : public std::enable_shared_from_this<serving> {
 public:
  serving(hub& on, unique_fd fd, serving_options options);
  virtual ~serving();
  serving(const serving&) = delete;
  serving& operator=(const serving&) = delete;

  /// Idempotent; nothing after close().
  void start();
  /// start(), and returns after close() or stop(). Cancel: closes.
  void serve();
  /// Takes nothing any more. Idempotent.
  void close() noexcept;
  /// close(), waits for the handlers at most for `grace`, then kills them. True if all have ended. A handler may call it:
  /// it is not waited for, nor killed.
  bool stop(time_span grace);
  /// close() and kills without a wait.
  void abandon() noexcept;

  [[nodiscard]] bool closed() const noexcept { return closed_; }
  [[nodiscard]] std::size_t handlers() const noexcept { return handlers_.size(); }
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  [[nodiscard]] hub& on() const noexcept { return hub_; }

 protected:
  /// Takes one arrival without waiting and launches its handler: 0, or the errno.
  virtual int take() = 0;
  /// In take(), at most once.
  void launch(unique_function<void()> handler);
  virtual void closing() noexcept {}

 private:
  struct handler_body;
  void run();
  /// Takes one; false at the end of the server.
  bool step(steady_duration& pause, std::size_t& taken);
  bool wait_for_arrivals();
  void report(int error);
  void close_fd_when_unused() noexcept;
  [[nodiscard]] std::size_t others() const noexcept;
  void await_others(steady_time until);
  void kill_others() noexcept;

  hub& hub_;
  unique_fd fd_;
  serving_options options_;
  semaphore slots_;
  bool slot_held_ = false;  // by the greenlet that takes
  bool closed_ = false;
  spawned<void> taking_;
  std::list<task_ptr> handlers_;
  waiter_list until_closed_;
  waiter_list until_ended_;
};

}  // namespace io::detail
}  // namespace grove
