// SPDX-License-Identifier: Apache-2.0
#pragma once

// Notices from a thread of its own that a hub stands still: that a callback or a turn holds the hub's thread, so that
// nobody else on it runs. gevent's monitor of blocked hubs, asked of the loop's passes and not of a tracer.
//
// - The hub pays nothing but the relaxed store that counts its passes; looks are made every stall_after / 2.
// - A hub that waits for events does not stand still. Its own flag is not enough to tell: the handlers of what woke it
//   run before the flag falls. So the kernel is asked whether its thread sits in the poll.
// - A hub whose thread is ready and gets no processor does not hold it. Time in which the machine ran something else is
//   told of as such, and what was about to run is not named for it.
// - The stack is taken by a signal to the hub's thread, at every look while it stands still: who holds the thread may
//   be another than at the begin, when it may only have waited for a processor. What a listener is told, it is told on
//   the monitor's thread.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "worker/greenlet/overflow_report.h"
#include "worker/greenlet/unique_function.h"
#include "worker/hub/monitor_thread.h"

namespace grove {

class hub;
class stack_capture;
struct seen_stack;
class stall_judge;
class thread_probe;

struct stall_options {
  steady_duration stall_after{std::chrono::milliseconds{25}};
  steady_duration repeat_every{
      std::chrono::seconds{1}};  ///< a stall that lasts is told of again; so it is when another holds the thread
  steady_duration stack_patience{std::chrono::milliseconds{100}};  ///< then it is told of without its stack
  overflow_label label = nullptr;                                  ///< says what runs in a greenlet: its actor
  /// How long the hub's thread was ready and got no processor since the last call; null: asks the kernel.
  unique_function<steady_duration()> unscheduled = nullptr;
};

struct stall_event {
  enum class stage : std::uint8_t { began, goes_on, ended };
  enum class cause : std::uint8_t {
    held,          ///< Something holds the thread: it computes or blocks.
    no_processor,  ///< The thread was ready, and the machine ran something else.
  };
  stage at = stage::began;
  cause why = cause::held;
  steady_duration lasted{};
  steady_duration unscheduled{};  ///< Of that, ready and without a processor.
  std::string greenlet;           ///< Its name; of the hub's own greenlet if a callback stalls.
  std::string label;              ///< What stall_options::label says of it.
  std::vector<std::string>
      stack;  ///< Innermost first; empty if it could not be taken, in `ended` and without processor.
};

struct memory_options {
  std::size_t bytes_max = 0;
  steady_duration every{std::chrono::seconds{5}};
  unique_function<std::size_t()> measure = nullptr;  ///< null: resident_bytes()
};

struct memory_event {
  bool over = false;        ///< Above the threshold, and more than at the last event; else below it again.
  std::size_t bytes = 0;    ///< now
  std::size_t highest = 0;  ///< since it went over
  std::size_t bytes_max = 0;
};

/// The resident memory of this process; 0 if the kernel does not say.
/// Affinity: any thread.
[[nodiscard]] std::size_t resident_bytes() noexcept;

class stall_monitor {
 public:
  using stall_listener = unique_function<void(const stall_event&)>;
  using memory_listener = unique_function<void(const memory_event&)>;

  /// Looks at nothing until start() or step(). What listeners and functions throw goes to the hub's error handler.
  /// Affinity: the hub's thread, as the destructor.
  /// Lifetime: both are borrowed; `time` must be the machine's if start() is used.
  stall_monitor(hub& watched, const clock& time, stall_options options = {});
  ~stall_monitor();
  stall_monitor(const stall_monitor&) = delete;
  stall_monitor& operator=(const stall_monitor&) = delete;

  /// Call both before start().
  void on_stall(stall_listener listener) { stall_listener_ = std::move(listener); }
  /// Replaces the memory watch; a bytes_max of 0 ends it.
  void watch_memory(memory_options options, memory_listener listener);
  /// Functions of the user's that run on the monitor's thread.
  [[nodiscard]] monitor_thread& functions() noexcept { return thread_; }

  void start() { thread_.start(); }
  /// Does what is due now; for tests, in place of the thread.
  void step() { (void)thread_.step(); }
  /// Ends the thread and forgets everything that it did.
  void kill() noexcept;

  /// Stalls that have been told of since the start, and the longest of them so far.
  /// Affinity: any thread.
  [[nodiscard]] std::uint64_t stalls() const noexcept { return stalls_.load(std::memory_order_relaxed); }
  /// Times that the thread got no processor; they are not among the stalls.
  [[nodiscard]] std::uint64_t delays() const noexcept { return delays_.load(std::memory_order_relaxed); }
  [[nodiscard]] steady_duration longest() const noexcept {
    return steady_duration(longest_.load(std::memory_order_relaxed));
  }

 private:
  struct memory_watch;
  void look();
  void judge_holder(bool began, bool lasts);
  [[nodiscard]] std::optional<seen_stack> see();
  void tell(stall_event::stage stage, const std::optional<seen_stack>& seen);

  hub& hub_;
  const clock& time_;
  stall_options options_;
  std::unique_ptr<stack_capture> capture_;
  std::unique_ptr<thread_probe> probe_;
  std::unique_ptr<stall_judge> judge_;
  // The present stall.
  bool told_ = false;
  bool told_holder_ = false;  // that something holds the thread
  std::string held_by_;       // the greenlet that was seen, when it was new
  std::string label_;         // ... and what ran in it
  bool ignoring_ = false;     // ... and whether it may
  std::atomic<std::uint64_t> stalls_{0};
  std::atomic<std::uint64_t> delays_{0};
  std::atomic<steady_duration::rep> longest_{0};
  stall_listener stall_listener_;
  std::shared_ptr<memory_watch> memory_;
  std::uint64_t memory_number_ = 0;
  monitor_thread thread_;
};

/// While it exists, the greenlet that made it may hold the thread for as long as it likes.
class ignore_stalls {
 public:
  ignore_stalls();
  ~ignore_stalls();
  ignore_stalls(const ignore_stalls&) = delete;
  ignore_stalls& operator=(const ignore_stalls&) = delete;
};

}  // namespace grove
