// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "worker/greenlet/greenlet.h"
#include "worker/greenlet/internal/greenlet_places.h"
#include "worker/greenlet/internal/open_initialisers.h"
#include "worker/greenlet/internal/signal_stack.h"
#include "worker/greenlet/internal/sliced_stacks.h"
#include "worker/greenlet/metering.h"
#include "worker/greenlet/overflow_report.h"
#include "worker/greenlet/stack_trace.h"
#include "worker/greenlet/trace.h"

namespace grove::greenlets::detail {

/// What a tracer is told of a part of a switch.
struct trace_step {
  trace_event event;
  greenlet* origin;
  greenlet* target;
};

/// Something that a suspended greenlet does on its stack for another one, by default a trace of it.
struct inspection {
  greenlet* requester = nullptr;
  unsigned attention = 0;         // as it was before
  void (*look)(void*) = nullptr;  // null: the trace
  void* with = nullptr;
  std::size_t count = 0;
  std::array<void*, stack_trace_frames_max> frames{};
};

/// What a debugger has to know of these classes.
struct gdb_layout;
extern "C" const gdb_layout grove_gdb_layout;

/// All that this layer keeps for a thread. Greenlets and continulets hold it, because their handles may outlive their
/// thread.
struct thread_state : thread_hot {
  thread_state();
  ~thread_state();
  thread_state(const thread_state&) = delete;
  thread_state& operator=(const thread_state&) = delete;

  std::exception_ptr thrown;
  std::vector<trace_step> steps;  // empty unless there is a tracer
  std::shared_ptr<const trace_function> tracer;
  inspection* inspecting = nullptr;
  greenlet* finished = nullptr;
  greenlet* orphan = nullptr;
  continulet* listed = nullptr;  // to be settled by whoever arrives

  greenlet_places places;  // `mutex` guards it once the thread has exited
  greenlet_ptr main;
  std::byte* main_stack_base = nullptr;
  stack_pool stacks;
  sliced_stacks sliced{*this};
  unraisable_hook unraisable;

  open_initialisers initialisers;
  overflow_label label = nullptr;
  std::unique_ptr<signal_stack> fault_stack;

  std::mutex mutex;                   // guards what follows, and `stacks` once the thread has exited
  greenlet* foreign_drops = nullptr;  // dropped by other threads
  continulet* foreign_continulets = nullptr;
  std::atomic<bool> exited{false};
  std::atomic<std::size_t> greenlets{0};
  std::atomic<std::size_t> holders{0};  // greenlets and continulets
  greenlet* all = nullptr;              // linked; `mutex` guards it as well once the thread has exited

  // All threads', which all_threads() guards.
  thread_state* next_thread = nullptr;
  thread_state* previous_thread = nullptr;
  const gdb_layout& layout;  // so that no program is linked without it

  void make_main();
  void add_greenlet(greenlet& made) noexcept;
  void unlink_greenlet(greenlet& going) noexcept;
  /// After its destructor: it was in `place`, of `places`.
  void remove_greenlet(void* place) noexcept;
  void add_holder() noexcept { holders.fetch_add(1, std::memory_order_relaxed); }
  /// Deletes the state with the last holder after the end of the thread.
  void remove_holder() noexcept;
  void take_foreign_drops() noexcept;
  void report_unraisable(const greenlet& from, std::string_view text) noexcept;
  /// The end of the thread.
  void exit() noexcept;

 private:
  [[nodiscard]] std::unique_lock<std::mutex> lock_if_exited() noexcept;
};

/// The states of all threads; those that have exited, while they have greenlets.
struct thread_list {
  std::mutex mutex;
  thread_state* first = nullptr;
  std::size_t count = 0;

  static thread_list all;
};

/// The calling thread's state, made if necessary.
thread_state& enter_thread();

/// What is handed over at a switch.
struct delivery {
  switch_value passed;
  std::exception_ptr thrown;
  std::vector<trace_step> steps{};
};

/// Errors: what the tracer throws; tracing has ended then.
void tell_tracer(thread_state& thread, const std::vector<trace_step>& steps);

/// The steps of a switch that are not on the fast path.
struct switching {
  /// Runs `target` or who stands in for it with `what`; `with` takes what comes back.
  static void deliver(thread_state& thread, greenlet& target, delivery what, taker with);
  static switch_value deliver(thread_state& thread, greenlet& target, delivery what);
  /// The greenlet that gets `what` when it is sent to `target`. Unstarted ones on the way die of an exception;
  /// greenlet_exit becomes a value then. The result is live and suspended or current, or freshly prepared.
  static greenlet_ptr receiver(greenlet& origin, greenlet& target, delivery& what);
  static void start(greenlet& fresh);
  [[noreturn]] static void run(void* left);
  [[noreturn]] static void end(thread_state& thread, delivery result) noexcept;
  [[noreturn]] static void finish(thread_state& thread, greenlet& self, delivery what) noexcept;
  static void post(thread_state& thread, delivery what) noexcept;
  /// Takes (or throws) what was delivered, and cleans up after an arrival.
  static void arrived(thread_state& thread, taker with);
  static void bury(greenlet& finished) noexcept;
  /// True if the greenlet is finished and has no handle: the caller deletes it.
  static bool unwind(thread_state& thread, greenlet& dropped) noexcept;
  static void unwind_once(thread_state& thread, greenlet& dropped, std::exception_ptr thrown) noexcept;
  static void dispose(thread_state& thread, greenlet& dropped) noexcept;
  /// The last handle has gone, on the greenlet's own thread.
  static void dropped(greenlet& target) noexcept;
  /// False if whoever arrives next looks at it once more, and disposes of it if it still has no handle.
  static bool may_go(greenlet& dropped) noexcept;
  /// A handle goes on another thread.
  static void dropped_elsewhere(greenlet& target) noexcept;
  /// Drops on the owner what dropped_elsewhere() has handed to it.
  static void take_dropped(greenlet* list) noexcept;
  /// What is left of a greenlet of an exited thread, and of its parents.
  static void release(greenlet& dropped) noexcept;
  static void check_owner(const greenlet& target);
  /// True if it is suspended and has room for the unwinder.
  static bool can_inspect(const greenlet& of) noexcept;
  /// Lets `of` look at its own stack.
  static void inspect(thread_state& thread, greenlet& of, inspection& found) noexcept;
  /// Not noexcept: who looks may ask where an exception would go from here.
  static void answer_inspection(thread_state& thread);
  static std::vector<greenlet_ptr> all(const thread_state& thread);
  static std::string describe(const greenlet& of);
  static const greenlet* next_dropped(const greenlet& of) noexcept { return of.next_dropped_; }
  static context_values*& context_slot(greenlet& of) noexcept { return of.values_; }
};

/// What `thrown` says of itself.
[[nodiscard]] std::string text_of(const std::exception_ptr& thrown);

}  // namespace grove::greenlets::detail
