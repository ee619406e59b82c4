// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "worker/greenlet/unique_function.h"

namespace grove {

/// Runs functions, each with a period of its own, on a thread that is none of the hub's: what looks at a hub must not
/// depend on it. gevent's PeriodicMonitoringThread.
/// Affinity: any thread.
class monitor_thread {
 public:
  using function = unique_function<void()>;
  using error_handler = unique_function<void(const std::exception_ptr&)>;

  /// Nothing runs until start(). What a function throws goes to `errors`, and the thread goes on.
  /// Lifetime: `time` is borrowed.
  monitor_thread(const clock& time, error_handler errors);
  ~monitor_thread() { stop(); }
  monitor_thread(const monitor_thread&) = delete;
  monitor_thread& operator=(const monitor_thread&) = delete;

  /// Runs `call` every `period` from now on, the first time after one. Returns a number for remove(). Functions may
  /// add and remove functions, themselves included.
  /// Errors: std::invalid_argument for a period that is not above zero.
  std::uint64_t add(function call, time_span period);
  /// The function does not run any more when this returns, unless it is itself that removes.
  void remove(std::uint64_t number) noexcept;
  void clear() noexcept;
  [[nodiscard]] std::size_t functions() const;

  /// Runs the functions that are due; returns when the next one will be. It is what the thread does all the time; a
  /// test, which owns time, calls it in place of the thread.
  steady_time step();

  /// Begins the thread, which takes no signals. It waits by the machine's monotonic clock, so `time` must be that.
  void start();
  /// Waits for what runs and ends the thread. Idempotent; not to be called by a function.
  void stop() noexcept;
  [[nodiscard]] bool running() const noexcept { return thread_.joinable(); }

 private:
  struct entry {
    std::uint64_t number;
    steady_duration period;
    steady_time due;
    function call;
    bool removed = false;
  };
  void run();

  const clock& time_;
  error_handler errors_;
  mutable std::recursive_mutex mutex_;  // held while functions run; guards what follows
  std::vector<std::shared_ptr<entry>> entries_;
  std::uint64_t added_ever_ = 0;
  std::mutex wait_mutex_;  // guards what follows
  std::condition_variable changed_;
  bool stopping_ = false;
  bool has_changed_ = false;
  std::thread thread_;
};

}  // namespace grove
